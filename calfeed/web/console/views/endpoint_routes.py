"""Endpoints: seen, added, changed, tried, paused and resumed, given another secret, removed."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from zoneinfo import available_timezones

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from calfeed.delivery.channels.sending import SCHEME
from calfeed.delivery.endpoint_test import probe
from calfeed.delivery.senders import refuse_channel, warn_of_plain
from calfeed.delivery.views import signs_until
from calfeed.model.events import Calendar, text_in
from calfeed.reminders.filters import MESSAGE_TYPES, Filters
from calfeed.reminders.options import WEEKDAYS
from calfeed.reminders.retry import is_received
from calfeed.reminders.signing import make_secret
from calfeed.store.catalog import catalog
from calfeed.store.database import Connection
from calfeed.store.endpoints import endpoints, lifecycle
from calfeed.store.endpoints.endpoints import Endpoint
from calfeed.store.outbox.deliveries import list_deliveries
from calfeed.web.console.context import Desk
from calfeed.web.console.views.endpoint_form import EndpointForm


def add_routes(console: Flask, desk: Desk) -> None:
    """Add the pages about endpoints."""
    _add_pages(console, desk)
    _add_forms(console, desk)
    _add_actions(console, desk)


def _add_pages(console: Flask, desk: Desk) -> None:
    @console.get("/endpoints")
    def list_endpoints() -> str:
        with desk.database.read() as connection:
            found = endpoints.list_endpoints(connection)
        warning = warn_of_plain(desk.settings, found)
        return render_template("console/endpoints.html", found=found, warning=warning)

    @console.get("/endpoints/<endpoint_id>")
    def show_endpoint(endpoint_id: str) -> str:
        now = desk.clock()
        with desk.database.read() as connection:
            found = endpoints.find_endpoint(connection, endpoint_id)
            counts = lifecycle.count_deliveries(connection, endpoint_id)
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
    @console.route("/endpoints/new", methods=["GET", "POST"])
    def add_endpoint() -> Any:
        bare = Endpoint(
            id="ep_" + secrets.token_hex(8),
            url="",
            filters=Filters(),
            secret=make_secret(secrets.token_bytes(32)),
            created=desk.clock(),
        )
        if request.method == "GET":
            return _show_form(desk, EndpointForm.of_endpoint(bare), None), 200
        form = EndpointForm.of_request(request.form)
        with desk.database.write() as connection:
            made = form.read(bare, connection, desk.settings)
            if not form.errors:
                endpoints.add_endpoint(connection, made)
        if form.errors:
            return _show_form(desk, form, None), 422
        return render_template("console/secret.html", one=made, secret=made.secret, until=None)

    @console.route("/endpoints/<endpoint_id>/change", methods=["GET", "POST"])
    def change_endpoint(endpoint_id: str) -> Any:
        if request.method == "GET":
            with desk.database.read() as connection:
                found = endpoints.find_endpoint(connection, endpoint_id)
            refuse_channel(found)
            return _show_form(desk, EndpointForm.of_endpoint(found), found), 200
        form = EndpointForm.of_request(request.form)
        with desk.database.write() as connection:
            found = endpoints.take_endpoint(connection, endpoint_id)
            refuse_channel(found)
            made = form.read(found, connection, desk.settings)
            if not form.errors:
                lifecycle.change_endpoint(connection, made, desk.clock())
        if form.errors:
            return _show_form(desk, form, found), 422
        flash("The endpoint is changed.", "good")
        return _back_to(endpoint_id)


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
        for row in catalog.load_calendars(connection).values()
        if not row.withdrawn
    ]
    return [(one.slug, text_in(one.name, one.language)) for one in read]


def _add_actions(console: Flask, desk: Desk) -> None:
    @console.post("/endpoints/<endpoint_id>/test")
    def test_endpoint(endpoint_id: str) -> Answer:
        attempt = probe(desk.database, desk.settings, endpoint_id, desk.clock)
        if is_received(attempt.status, attempt.error):
            status = "" if attempt.status is None else f" with status {attempt.status}"
            flash(f"Received{status} after {attempt.milliseconds} ms.", "good")
        else:
            reason = attempt.error or f"the receiver answered {attempt.status}"
            flash(f"Not received: {reason[:300]}.", "bad")
        return redirect(url_for("show_delivery", number=attempt.delivery_id), 303)

    @console.post("/endpoints/<endpoint_id>/pause")
    def pause_endpoint(endpoint_id: str) -> Answer:
        with desk.database.write() as connection:
            endpoints.find_endpoint(connection, endpoint_id)
            done = lifecycle.hold_endpoint(connection, endpoint_id, "paused", desk.clock())
        if done:
            flash("The endpoint is paused. What is for it is held until it is resumed.", "good")
        else:
            flash("Nothing was sent to this endpoint anyway, so nothing is changed.", "bad")
        return _back_to(endpoint_id)

    @console.post("/endpoints/<endpoint_id>/resume")
    def resume_endpoint(endpoint_id: str) -> Answer:
        with desk.database.write() as connection:
            endpoints.find_endpoint(connection, endpoint_id)
            released = lifecycle.resume_endpoint(connection, endpoint_id, desk.clock())
        if released is None:
            flash("The endpoint is active already.", "bad")
        else:
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
        made = make_secret(secrets.token_bytes(32))
        with desk.database.write() as connection:
            found = endpoints.take_endpoint(connection, endpoint_id)
            refuse_channel(found)
            rotated = found.rotate(made, desk.clock())
            endpoints.save_endpoint(connection, rotated)
        return render_template(
            "console/secret.html", one=rotated, secret=made, until=rotated.former_until
        )

    @console.route("/endpoints/<endpoint_id>/remove", methods=["GET", "POST"])
    def remove_endpoint(endpoint_id: str) -> Any:
        with desk.database.write() as connection:
            found = endpoints.find_endpoint(connection, endpoint_id)
            if request.method == "POST":
                lifecycle.remove_endpoint(connection, endpoint_id, desk.clock())
        if request.method == "GET":
            return render_template("console/remove.html", one=found)
        flash("The endpoint is removed. The record of what it was told stays.", "good")
        return redirect(url_for("list_endpoints"), 303)


def _back_to(endpoint_id: str) -> Answer:
    return redirect(url_for("show_endpoint", endpoint_id=endpoint_id), 303)
