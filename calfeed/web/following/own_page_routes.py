"""The routes of a person's own page, behind a secret link. Only POST changes anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, abort, g, make_response, render_template, request

from calfeed.errors import NotFoundError
from calfeed.reminders.following.choices import split_name
from calfeed.reminders.following.messages import CONFIRM, KNOWN, WELCOME
from calfeed.services.following import own_page as service
from calfeed.services.following.own_page import PersonDetails
from calfeed.web.following.forms import FormError, describe, list_others, read_choices
from calfeed.web.pages.reader.dates import write_when
from calfeed.web.pages.reader.languages import Reader, choose_reader
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.published.state import State

_PATH = "/follow/<person:person>/<secret>/"


def add_own_page_routes(pages: Blueprint, state: State) -> None:
    """Add the routes of the own page and its actions."""

    @pages.get(_PATH)
    def show(person: str, secret: str) -> Response:
        return show_page(person, secret)

    @pages.post(_PATH)
    def change(person: str, secret: str) -> Response:
        match request.form.get("act", ""):
            case "pause":
                act(service.pause, person, secret)
                notice = gettext("Paused: nothing is sent until you resume.")
                return show_page(person, secret, notice=notice)
            case "resume":
                act(service.resume, person, secret)
                notice = gettext("Resumed. What you missed is sent now.")
                return show_page(person, secret, notice=notice)
        shown = find(person, secret)
        if shown is None:
            return show_left()
        public = state.snapshot.calendars
        names = request.form.getlist("follows")
        # What a person adds has to be public; what they followed before may be private now.
        follows = [one for one in names if one in shown.follows or split_name(one)[0] in public]
        try:
            if not follows:
                raise FormError("follows", gettext("Choose at least one, or pause or leave."))
            choices = read_choices()
        except FormError as error:
            return show_page(person, secret, errors={error.field: error.text})
        service.change_person(state.database, person, secret, follows, choices, state.clock())
        return show_page(person, secret, notice=gettext("Saved."))

    @pages.get(_PATH + "leave")
    def ask_to_leave(person: str, secret: str) -> Response:
        if find(person, secret) is None:
            return show_left()
        return make_response(render_template("following/leave.html"))

    @pages.post(_PATH + "leave")
    def leave(person: str, secret: str) -> Response:
        """End following without confirmation; mail programs send this POST (RFC 8058)."""
        act(service.leave, person, secret)
        return show_left()

    def find(person: str, secret: str) -> PersonDetails | None:
        try:
            shown = service.show_person(state.database, person, secret)
        except NotFoundError:
            abort(404, _explain_wrong_link())
        if shown is not None and not g.reader.explicit:
            g.reader = choose_reader(shown.choices.language, "", g.offered)
        if shown is not None:
            g.reader = g.reader.default_zone(shown.choices.time_zone)
        return shown

    def act(change: Callable[..., object], person: str, secret: str) -> None:
        try:
            change(state.database, person, secret, state.clock())
        except NotFoundError:
            abort(404, _explain_wrong_link())

    def show_page(
        person: str, secret: str, *, notice: str = "", errors: dict[str, str] | None = None
    ) -> Response:
        shown = find(person, secret)
        if shown is None:
            return show_left()
        page = render_template(
            "following/own_page.html",
            shown=shown,
            follows=[describe(state.snapshot, name) for name in shown.follows],
            others=list_others(state.snapshot, shown.follows),
            choices=shown.choices,
            moment=_write_moment,
            names_of_types=_name_types(),
            notice=notice,
            errors=errors or {},
        )
        return make_response(page, 422 if errors else 200)

    def show_left() -> Response:
        return make_response(render_template("following/left.html"))


def _write_moment(at: datetime) -> str:
    reader: Reader = g.reader
    return write_when(at.astimezone(reader.zone), None, reader.language)


def _name_types() -> dict[str, str]:
    # Other messages are shown with their text.
    return {
        CONFIRM: gettext("Confirmation asked for"),
        KNOWN: gettext("Confirmation of more dates asked for"),
        WELCOME: gettext("Confirmed: what you follow"),
    }


def _explain_wrong_link() -> str:
    return gettext("This link is not complete. Copy all of it from a mail, or press it there.")
