"""Coming in, by the admin token or a link that is good for once, and going out."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as Answer

from calfeed.web.console.desk import Desk, asked
from calfeed.web.console.door import Door, open_link, sign_in


def add_routes(console: Flask, desk: Desk, door: Door) -> None:
    """Add the pages through which one comes in and goes out."""

    @console.route("/sign-in", methods=["GET", "POST"])
    def sign_in_page() -> Any:
        problem, status = "", HTTPStatus.OK
        if request.method == "POST":
            if not door.may_guess():
                problem = "There were too many wrong tokens. Wait a minute, then try again."
                status = HTTPStatus.TOO_MANY_REQUESTS
            elif door.is_token(request.form.get("token", "").strip()):
                sign_in()
                return redirect(_inside(asked("next")), HTTPStatus.SEE_OTHER)
            else:
                problem, status = "This is not the admin token.", HTTPStatus.FORBIDDEN
        page = render_template(
            "console/sign_in.html", problem=problem, shut=door.is_shut, next=asked("next")
        )
        return page, status

    @console.route("/enter", methods=["GET", "POST"])
    def enter() -> Any:
        if request.method == "GET":  # a program that only looks at a link must not use it up
            return render_template("console/enter.html", once=asked("once"))
        if open_link(desk.database, asked("once"), desk.clock()):
            sign_in()
            return redirect(url_for("show_overview"), HTTPStatus.SEE_OTHER)
        flash("This link was used before, or is too old. Sign in with the admin token.", "bad")
        return redirect(url_for("sign_in_page"), HTTPStatus.SEE_OTHER)

    @console.post("/sign-out")
    def sign_out() -> Answer:
        session.clear()
        flash("You are signed out.", "good")
        return redirect(url_for("sign_in_page"), HTTPStatus.SEE_OTHER)


def _inside(address: str) -> str:
    """An address within the console, or its first page for any other."""
    parts, home = urlsplit(address), url_for("show_overview")
    inside = not parts.scheme and not parts.netloc and parts.path.startswith(home)
    return address if inside and "\\" not in address else home
