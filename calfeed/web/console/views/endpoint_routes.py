"""The pages about endpoints: list, add, change, test, pause, resume, rotate, remove."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as WsgiResponse

from calfeed.delivery.channels.sending import SCHEME
from calfeed.delivery.senders import plain_http_warning, url_rules
from calfeed.delivery.views import former_secret_until
from calfeed.errors import InvalidFieldsError
from calfeed.model.events import Calendar
from calfeed.model.values import text_in
from calfeed.reminders.contract.registry import FILTER_TYPES
from calfeed.reminders.option_values import WEEKDAYS
from calfeed.reminders.options import OPTIONS
from calfeed.reminders.retry import is_received
from calfeed.services import endpoints as service
from calfeed.services.receivers import testing
from calfeed.store.catalog.calendars import load_calendars
from calfeed.store.database import Connection
from calfeed.store.endpoints.records import Endpoint, list_endpoints
from calfeed.store.outbox.deliveries import list_deliveries
from calfeed.web.console.context import ConsoleContext
from calfeed.web.console.views.endpoint_form import PLAIN_OPTIONS, EndpointForm


def add_routes(console: Flask, context: ConsoleContext) -> None:
    _add_pages(console, context)
    _add_forms(console, context)
    _add_actions(console, context)


def _add_pages(console: Flask, context: ConsoleContext) -> None:
    @console.get("/endpoints", endpoint="list_endpoints")
    def list_all() -> str:
        with context.database.read() as connection:
            found = list_endpoints(connection)
        warning = plain_http_warning(context.settings, found)
        return render_template("console/endpoints.html", found=found, warning=warning)

    @console.get("/endpoints/<endpoint_id>")
    def show_endpoint(endpoint_id: str) -> str:
        now = context.clock()
        found, counts, _ = service.show_endpoint(context.database, endpoint_id)
        with context.database.read() as connection:
            recent = list_deliveries(connection, endpoint_id=endpoint_id, limit=8)
        return render_template(
            "console/endpoint.html",
            endpoint=found,
            counts=counts,
            recent=recent,
            is_channel=found.url.startswith(SCHEME),
            signs_until=former_secret_until(found, now),
            since=found.failing_since or now - timedelta(days=7),
        )


def _add_forms(console: Flask, context: ConsoleContext) -> None:
    rules = url_rules(context.settings)

    @console.route("/endpoints/new", methods=["GET", "POST"])
    def add_endpoint() -> Any:
        if request.method == "GET":
            return _show_form(context, EndpointForm({"time_zone": "UTC"}), None), 200
        form = EndpointForm.from_request(request.form)
        try:
            endpoint = service.add_endpoint(
                context.database, rules, form.read(new=True), context.clock(), scheme=form.scheme
            )
        except InvalidFieldsError as error:
            form.add_errors(error)
            return _show_form(context, form, None), 422
        return _show_secret(endpoint)

    @console.route("/endpoints/<endpoint_id>/change", methods=["GET", "POST"])
    def change_endpoint(endpoint_id: str) -> Any:
        found = service.show_endpoint(context.database, endpoint_id).endpoint
        if request.method == "GET":
            service.check_changeable(found)
            return _show_form(context, EndpointForm.from_endpoint(found), found), 200
        form, now = EndpointForm.from_request(request.form), context.clock()
        values = form.read(new=False)
        try:
            changed = service.change_endpoint(context.database, rules, endpoint_id, values, now)
        except InvalidFieldsError as error:
            form.add_errors(error)
            return _show_form(context, form, found), 422
        if changed.new_secret is not None:
            return _show_secret(changed.endpoint)
        flash("The endpoint was changed.", "good")
        return _redirect_to(endpoint_id)


def _show_secret(endpoint: Endpoint, until: datetime | None = None) -> str:
    return render_template(
        "console/secret.html", endpoint=endpoint, secret=endpoint.receiver_key, until=until
    )


def _show_form(context: ConsoleContext, form: EndpointForm, endpoint: Endpoint | None) -> str:
    with context.database.read() as connection:
        calendars = _list_calendars(connection)
    return render_template(
        "console/endpoint_form.html",
        form=form,
        errors=form.errors,
        endpoint=endpoint,
        calendars=calendars,
        types=FILTER_TYPES,
        options=OPTIONS,
        plain_options=PLAIN_OPTIONS,
        weekdays=WEEKDAYS,
        zones=sorted(available_timezones()),
    )


def _list_calendars(connection: Connection) -> list[tuple[str, str]]:
    calendars = [
        Calendar.model_validate_json(row.content)
        for row in load_calendars(connection).values()
        if not row.withdrawn
    ]
    return [(calendar.slug, text_in(calendar.name, calendar.language)) for calendar in calendars]


def _add_actions(console: Flask, context: ConsoleContext) -> None:
    @console.post("/endpoints/<endpoint_id>/test")
    def test_endpoint(endpoint_id: str) -> WsgiResponse:
        tested = testing.test_endpoint(
            context.database, context.settings, endpoint_id, context.clock
        )
        attempt = tested.attempt
        if attempt is None:
            flash("The test waits until the receiver polls the endpoint.", "good")
        elif is_received(attempt.status, attempt.error):
            status = "" if attempt.status is None else f" with status {attempt.status}"
            flash(f"Received{status} after {attempt.milliseconds} ms.", "good")
        else:
            reason = attempt.error or f"the receiver responded with status {attempt.status}"
            flash(f"Not received: {reason[:300]}.", "bad")
        return redirect(url_for("show_delivery", number=tested.delivery.id), 303)

    @console.post("/endpoints/<endpoint_id>/pause")
    def pause_endpoint(endpoint_id: str) -> WsgiResponse:
        service.pause_endpoint(context.database, endpoint_id, context.clock())
        flash(
            "The endpoint is paused. Its deliveries are held until the endpoint is resumed.", "good"
        )
        return _redirect_to(endpoint_id)

    @console.post("/endpoints/<endpoint_id>/resume")
    def resume_endpoint(endpoint_id: str) -> WsgiResponse:
        _, released = service.resume_endpoint(context.database, endpoint_id, context.clock())
        parts = [
            f"{number:,} {words}"
            for number, words in (
                (released.pending, "being sent now"),
                (released.gathered, "in its next digest"),
                (released.expired, "expired, so not sent"),
            )
            if number
        ]
        missed = ", ".join(parts) or "none"
        flash(f"The endpoint is active. Deliveries it missed: {missed}.", "good")
        return _redirect_to(endpoint_id)

    @console.post("/endpoints/<endpoint_id>/rotate")
    def rotate_secret(endpoint_id: str) -> str:
        rotated = service.rotate_secret(context.database, endpoint_id, context.clock()).endpoint
        return _show_secret(rotated, rotated.former_until)

    @console.route("/endpoints/<endpoint_id>/remove", methods=["GET", "POST"])
    def remove_endpoint(endpoint_id: str) -> Any:
        if request.method == "GET":
            found = service.show_endpoint(context.database, endpoint_id).endpoint
            return render_template("console/remove.html", endpoint=found)
        service.remove_endpoint(context.database, endpoint_id, context.clock())
        flash("The endpoint was removed. Its delivery history is kept.", "good")
        return redirect(url_for("list_endpoints"), 303)


def _redirect_to(endpoint_id: str) -> WsgiResponse:
    return redirect(url_for("show_endpoint", endpoint_id=endpoint_id), 303)
