"""Coming in, by the admin token or a link that is good for once; going out; who is signed in."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from calfeed.errors import InvalidInputError
from calfeed.services import sessions
from calfeed.web.console.authentication import Door, current_visit
from calfeed.web.console.context import Desk, asked, read_number


def add_routes(console: Flask, desk: Desk, door: Door) -> None:
    """Add the pages through which one comes in and goes out, and the list of sessions."""
    _add_ways_in(console, desk, door)
    _add_sessions(console, desk, door)


def _add_ways_in(console: Flask, desk: Desk, door: Door) -> None:
    def show_form(problem: str, status: HTTPStatus) -> Any:
        page = render_template(
            "console/sign_in.html", problem=problem, shut=door.is_shut, next=asked("next")
        )
        headers = {"Retry-After": "60"} if status == HTTPStatus.TOO_MANY_REQUESTS else {}
        return page, status, headers

    @console.route("/sign-in", methods=["GET", "POST"])
    def sign_in_page() -> Any:
        if request.method != "POST":
            return show_form("", HTTPStatus.OK)
        # Before anything is counted: what strangers try keeps nobody out.
        if door.is_token(request.form.get("token", "").strip()):
            door.sign_in("token")
            return redirect(_inside(asked("next")), HTTPStatus.SEE_OTHER)
        if door.count_wrong_token():
            problem = "There were too many wrong tokens. Wait a minute, then try again."
            return show_form(problem, HTTPStatus.TOO_MANY_REQUESTS)
        return show_form("This is not the admin token.", HTTPStatus.FORBIDDEN)

    @console.route("/enter", methods=["GET", "POST"])
    def enter() -> Any:
        if request.method != "POST":  # a program that only looks at a link must not use it up
            return render_template("console/enter.html", once=asked("once"))
        if sessions.open_link(desk.database, asked("once"), desk.clock()):
            door.sign_in("link")
            return redirect(url_for("show_overview"), HTTPStatus.SEE_OTHER)
        flash("This link was used before, or is too old. Sign in with the admin token.", "bad")
        return redirect(url_for("sign_in_page"), HTTPStatus.SEE_OTHER)

    @console.post("/sign-out")
    def sign_out() -> Answer:
        door.sign_out()
        flash("You are signed out.", "good")
        return redirect(url_for("sign_in_page"), HTTPStatus.SEE_OTHER)


def _add_sessions(console: Flask, desk: Desk, door: Door) -> None:
    @console.get("/sessions")
    def list_sessions() -> str:
        visit = current_visit()
        own = visit.session.id if visit else None
        return render_template("console/sessions.html", found=door.list_sessions(), own=own)

    @console.post("/sessions/end")
    def end_session() -> Answer:
        number = read_number(asked("session"))
        if number is None:
            raise InvalidInputError("say which session to end, by its number")
        done = sessions.end_session(desk.database, number)
        flash("The session is ended." if done else "That session was over already.", "good")
        return redirect(url_for("list_sessions"), HTTPStatus.SEE_OTHER)

    @console.post("/sessions/end-others")
    def end_other_sessions() -> Answer:
        visit = current_visit()
        ended = sessions.end_other_sessions(desk.database, visit.session if visit else None)
        flash(f"Other sessions that were ended: {ended}.", "good")
        return redirect(url_for("list_sessions"), HTTPStatus.SEE_OTHER)


def _inside(address: str) -> str:
    """An address within the console, or its first page for any other."""
    parts, home = urlsplit(address), url_for("show_overview")
    inside = not parts.scheme and not parts.netloc and parts.path.startswith(home)
    return address if inside and "\\" not in address else home
