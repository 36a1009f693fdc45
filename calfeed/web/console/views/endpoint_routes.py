"""Endpoints: seen, added, changed, tried, paused and resumed, given another secret, removed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from calfeed.delivery.channels.sending import SCHEME
from calfeed.delivery.senders import url_rules, warn_of_plain
from calfeed.delivery.views import signs_until
from calfeed.errors import InvalidFieldsError
from calfeed.model.events import Calendar, text_in
from calfeed.reminders.filters import MESSAGE_TYPES
from calfeed.reminders.options import WEEKDAYS
from calfeed.reminders.retry import is_received
from calfeed.services import endpoints as service
from calfeed.store.catalog.calendars import load_calendars
from calfeed.store.database import Connection
from calfeed.store.endpoints.records import Endpoint, list_endpoints
from calfeed.store.outbox.deliveries import list_deliveries
from calfeed.web.console.context import Desk
from calfeed.web.console.views.endpoint_form import EndpointForm


def add_routes(console: Flask, desk: Desk) -> None:
    """Add the pages about endpoints."""
    _add_pages(console, desk)
    _add_forms(console, desk)
    _add_actions(console, desk)


def _add_pages(console: Flask, desk: Desk) -> None:
    @console.get("/endpoints", endpoint="list_endpoints")
    def list_all() -> str:
        with desk.database.read() as connection:
            found = list_endpoints(connection)
        warning = warn_of_plain(desk.settings, found)
        return render_template("console/endpoints.html", found=found, warning=warning)

    @console.get("/endpoints/<endpoint_id>")
    def show_endpoint(endpoint_id: str) -> str:
        now = desk.clock()
        found, counts, _ = service.show_endpoint(desk.database, endpoint_id)
        with desk.database.read() as connection:
            recent = list_deliveries(connection, endpoint_id=endpoint_id, limit=8)
        return render_template(
            "console/endpoint.html",
            one=found,
            counts=counts,
            recent=recent,
            is_channel=found.url.startswith(SCHEME),
            signs_until=signs_until(found, now),
            since=found.failing_since or now - timedelta(days=7),
        )


def _add_forms(console: Flask, desk: Desk) -> None:
    rules = url_rules(desk.settings)

    @console.route("/endpoints/new", methods=["GET", "POST"])
    def add_endpoint() -> Any:
        if request.method == "GET":
            return _show_form(desk, EndpointForm({"time_zone": "UTC"}), None), 200
        form = EndpointForm.of_request(request.form)
        try:
            made = service.add_endpoint(desk.database, rules, form.read(new=True), desk.clock())
        except InvalidFieldsError as error:
            form.note(error)
            return _show_form(desk, form, None), 422
        return _show_secret(made)

    @console.route("/endpoints/<endpoint_id>/change", methods=["GET", "POST"])
    def change_endpoint(endpoint_id: str) -> Any:
        found = service.show_endpoint(desk.database, endpoint_id).endpoint
        if request.method == "GET":
            service.check_changeable(found)
            return _show_form(desk, EndpointForm.of_endpoint(found), found), 200
        form, now = EndpointForm.of_request(request.form), desk.clock()
        values = form.read(new=False)
        try:
            changed = service.change_endpoint(desk.database, rules, endpoint_id, values, now)
        except InvalidFieldsError as error:
            form.note(error)
            return _show_form(desk, form, found), 422
        if changed.new_secret is not None:
            return _show_secret(changed.endpoint)
        flash("The endpoint is changed.", "good")
        return _back_to(endpoint_id)


def _show_secret(one: Endpoint, until: datetime | None = None) -> str:
    return render_template("console/secret.html", one=one, secret=one.secret, until=until)


def _show_form(desk: Desk, form: EndpointForm, one: Endpoint | None) -> str:
    with desk.database.read() as connection:
        calendars = _list_calendars(connection)
    return render_template(
        "console/endpoint_form.html",
        form=form,
        errors=form.errors,
        one=one,
        calendars=calendars,
        types=MESSAGE_TYPES,
        weekdays=WEEKDAYS,
        zones=sorted(available_timezones()),
    )


def _list_calendars(connection: Connection) -> list[tuple[str, str]]:
    """The slugs and names of what is published."""
    read = [
        Calendar.model_validate_json(row.content)
        for row in load_calendars(connection).values()
        if not row.withdrawn
    ]
    return [(one.slug, text_in(one.name, one.language)) for one in read]


def _add_actions(console: Flask, desk: Desk) -> None:
    @console.post("/endpoints/<endpoint_id>/test")
    def test_endpoint(endpoint_id: str) -> Answer:
        attempt = service.test_endpoint(
            desk.database, desk.settings, endpoint_id, desk.clock
        ).attempt
        if is_received(attempt.status, attempt.error):
            status = "" if attempt.status is None else f" with status {attempt.status}"
            flash(f"Received{status} after {attempt.milliseconds} ms.", "good")
        else:
            reason = attempt.error or f"the receiver answered {attempt.status}"
            flash(f"Not received: {reason[:300]}.", "bad")
        return redirect(url_for("show_delivery", number=attempt.delivery_id), 303)

    @console.post("/endpoints/<endpoint_id>/pause")
    def pause_endpoint(endpoint_id: str) -> Answer:
        service.pause_endpoint(desk.database, endpoint_id, desk.clock())
        flash("The endpoint is paused. What is for it is held until it is resumed.", "good")
        return _back_to(endpoint_id)

    @console.post("/endpoints/<endpoint_id>/resume")
    def resume_endpoint(endpoint_id: str) -> Answer:
        _, released = service.resume_endpoint(desk.database, endpoint_id, desk.clock())
        parts = [
            f"{number:,} {words}"
            for number, words in (
                (released.pending, "sent to it now"),
                (released.gathered, "in its next digest"),
                (released.expired, "no longer of use, and not sent"),
            )
            if number
        ]
        missed = ", ".join(parts) or "none"
        flash(f"The endpoint is active. Deliveries it missed: {missed}.", "good")
        return _back_to(endpoint_id)

    @console.post("/endpoints/<endpoint_id>/rotate")
    def rotate_secret(endpoint_id: str) -> str:
        rotated = service.rotate_secret(desk.database, endpoint_id, desk.clock()).endpoint
        return _show_secret(rotated, rotated.former_until)

    @console.route("/endpoints/<endpoint_id>/remove", methods=["GET", "POST"])
    def remove_endpoint(endpoint_id: str) -> Any:
        if request.method == "GET":
            found = service.show_endpoint(desk.database, endpoint_id).endpoint
            return render_template("console/remove.html", one=found)
        service.remove_endpoint(desk.database, endpoint_id, desk.clock())
        flash("The endpoint is removed. The record of what it was told stays.", "good")
        return redirect(url_for("list_endpoints"), 303)


def _back_to(endpoint_id: str) -> Answer:
    return redirect(url_for("show_endpoint", endpoint_id=endpoint_id), 303)
