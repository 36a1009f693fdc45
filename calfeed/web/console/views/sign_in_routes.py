"""Sign-in by the admin token or a one-time link, sign-out, and the list of sessions."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as WsgiResponse

from calfeed.errors import InvalidInputError
from calfeed.services import sessions
from calfeed.web.console.authentication import Authenticator, current_session
from calfeed.web.console.context import ConsoleContext, form_value, read_number


def add_routes(console: Flask, context: ConsoleContext, authenticator: Authenticator) -> None:
    _add_sign_in(console, context, authenticator)
    _add_sessions(console, context, authenticator)


def _add_sign_in(console: Flask, context: ConsoleContext, authenticator: Authenticator) -> None:
    def show_form(problem: str, status: HTTPStatus) -> Any:
        page = render_template(
            "console/sign_in.html",
            problem=problem,
            no_token=authenticator.has_no_token,
            next=form_value("next"),
        )
        headers = {"Retry-After": "60"} if status == HTTPStatus.TOO_MANY_REQUESTS else {}
        return page, status, headers

    @console.route("/sign-in", methods=["GET", "POST"])
    def sign_in_page() -> Any:
        if request.method != "POST":
            return show_form("", HTTPStatus.OK)
        # Checked before the rate limit, so that attackers cannot lock anybody out.
        if authenticator.is_admin_token(request.form.get("token", "").strip()):
            authenticator.sign_in("token")
            return redirect(_safe_target(form_value("next")), HTTPStatus.SEE_OTHER)
        if authenticator.count_wrong_token():
            problem = "Too many wrong tokens. Wait a minute, then try again."
            return show_form(problem, HTTPStatus.TOO_MANY_REQUESTS)
        return show_form("This is not the admin token.", HTTPStatus.FORBIDDEN)

    @console.route("/enter", methods=["GET", "POST"])
    def enter() -> Any:
        if request.method != "POST":  # link previews must not use up the link
            return render_template("console/enter.html", once=form_value("once"))
        if sessions.open_link(context.database, form_value("once"), context.clock()):
            authenticator.sign_in("link")
            return redirect(url_for("show_overview"), HTTPStatus.SEE_OTHER)
        flash("This link was already used, or has expired. Sign in with the admin token.", "bad")
        return redirect(url_for("sign_in_page"), HTTPStatus.SEE_OTHER)

    @console.post("/sign-out")
    def sign_out() -> WsgiResponse:
        authenticator.sign_out()
        flash("You are signed out.", "good")
        return redirect(url_for("sign_in_page"), HTTPStatus.SEE_OTHER)


def _add_sessions(console: Flask, context: ConsoleContext, authenticator: Authenticator) -> None:
    @console.get("/sessions")
    def list_sessions() -> str:
        current = current_session()
        own = current.session.id if current else None
        return render_template(
            "console/sessions.html", found=authenticator.list_sessions(), own=own
        )

    @console.post("/sessions/end")
    def end_session() -> WsgiResponse:
        number = read_number(form_value("session"))
        if number is None:
            raise InvalidInputError("the number of the session is missing or not valid")
        ended = sessions.end_session(context.database, number)
        flash("The session was ended." if ended else "The session had already ended.", "good")
        return redirect(url_for("list_sessions"), HTTPStatus.SEE_OTHER)

    @console.post("/sessions/end-others")
    def end_other_sessions() -> WsgiResponse:
        current = current_session()
        ended = sessions.end_other_sessions(context.database, current.session if current else None)
        flash(f"Other sessions ended: {ended}.", "good")
        return redirect(url_for("list_sessions"), HTTPStatus.SEE_OTHER)


def _safe_target(address: str) -> str:
    """Return a path within the console; for any other URL, the overview."""
    parts, home = urlsplit(address), url_for("show_overview")
    is_local = not parts.scheme and not parts.netloc and parts.path.startswith(home)
    # Browsers resolve dots, even percent-encoded ones, and treat a backslash as a slash.
    leaves = ".." in unquote(parts.path) or "\\" in address
    return address if is_local and not leaves else home
