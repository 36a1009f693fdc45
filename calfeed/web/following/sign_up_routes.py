"""The routes to sign up and to confirm.

Only POST changes anything, because mail scanners follow links. The response to a sign-up is the
same whether or not the address is known.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, g, make_response, render_template, request

from calfeed.errors import ConflictError, InvalidInputError, NotFoundError
from calfeed.reminders.following.choices import Choices, Wish
from calfeed.services.following import asking
from calfeed.web.following.forms import HONEYPOT, Followed, FormError, describe, read_choices
from calfeed.web.pages.lists.cards import read_categories
from calfeed.web.pages.page_cache import PUBLIC
from calfeed.web.pages.reader.time_zones import default_zone, read_zone
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.pages.request_options import list_varying_headers
from calfeed.web.pages.resolve import find_calendar, find_event
from calfeed.web.published.calendars import PublishedCalendar
from calfeed.web.published.state import State
from calfeed.web.serving.client_addresses import find_network, identifies_client

_ORIGIN_BITS = 48
"""The prefix length of IPv6 networks.

One customer can have 65,536 networks with prefixes of 64 bits, and each of these networks would
have a limit of its own.
"""


def add_sign_up_routes(pages: Blueprint, state: State, proxies: int) -> None:
    """Add the pages with the form; `proxies` is the number of trusted proxies."""

    @pages.route("/follow/<slug:slug>/", methods=["GET", "POST"])
    def follow_calendar(slug: str) -> Response:
        found = find_calendar(state.snapshot, slug)
        names = [f"{slug}#{category}" for category in read_categories(found)]
        return answer(found, tuple(names) or (slug,), found.calendar.time_zone)

    @pages.route("/follow/<slug:slug>/<slug:event_slug>/", methods=["GET", "POST"])
    def follow_event(slug: str, event_slug: str) -> Response:
        found = find_calendar(state.snapshot, slug)
        zone = find_event(found, event_slug).revision.event.time_zone
        return answer(found, (f"{slug}/{event_slug}",), zone)

    def answer(found: PublishedCalendar, names: tuple[str, ...], zone: str) -> Response:
        read_zone()
        default_zone(zone)
        follows = [describe(state.snapshot, name) for name in names]
        if request.method == "POST":
            return take(follows)
        choices = Choices(language=g.reader.language.tag, time_zone=g.reader.time_zone)
        response = make_response(show_form(follows, choices, {}))
        # The form is the same for everybody, like the pages that link to it.
        response.headers["Cache-Control"] = PUBLIC
        response.headers["Vary"] = list_varying_headers()
        return response

    def take(follows: list[Followed]) -> Response:
        address, choices, errors = request.form.get("address", ""), Choices(), {}
        try:
            choices = read_choices()
        except FormError as error:
            errors[error.field] = error.text
        try:
            asking.read_address(address)
        except InvalidInputError:
            errors["address"] = gettext(
                "This is not a mail address. Write it as in name@example.org."
            )
        if errors:
            return make_response(show_form(follows, choices, errors), 422)
        if not request.form.get(HONEYPOT):
            wish = Wish(follows=tuple(one.name for one in follows), choices=choices)
            asking.ask_to_follow(state.database, address, wish, find_origin(), state.clock())
        return make_response(render_template("following/asked.html", follows=follows))

    def find_origin() -> str:
        network = find_network(request.remote_addr or "", _ORIGIN_BITS)
        return network if identifies_client(network, proxies) else ""

    def show_form(follows: list[Followed], choices: Choices, errors: dict[str, str]) -> str:
        given = request.form if request.method == "POST" else {}
        return render_template(
            "following/form.html",
            follows=follows,
            choices=choices,
            errors=errors,
            address=given.get("address", ""),
            honeypot=HONEYPOT,
        )


def add_confirm_routes(pages: Blueprint, state: State) -> None:
    """Add the page on which people confirm a sign-up; the first mail contains a link to it."""

    @pages.get("/follow/confirm/<request_id>/<secret>")
    def show_request(request_id: str, secret: str) -> str:
        try:
            asked = asking.show_request(state.database, request_id, secret, state.clock())
        except NotFoundError:
            abort(404, _explain_old_link())
        follows = asked.wish.follows if asked.wish else ()
        return render_template(
            "following/confirm.html",
            asked=asked,
            follows=[describe(state.snapshot, name) for name in follows],
        )

    @pages.post("/follow/confirm/<request_id>/<secret>")
    def confirm(request_id: str, secret: str) -> str:
        shown = request.form.get("shown", "")
        try:
            confirmed = asking.confirm(state.database, request_id, secret, state.clock(), shown)
        except NotFoundError:
            abort(404, _explain_old_link())
        except ConflictError:
            return show_request(request_id, secret)
        return render_template("following/confirmed.html", page=confirmed.page)


def _explain_old_link() -> str:
    return gettext("This link is too old. Ask for the dates again, and you get another mail.")
