"""The pages about deliveries: filter, show with attempts, retry."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as WsgiResponse

from calfeed.counting import count
from calfeed.errors import InvalidInputError, NotFoundError
from calfeed.model.states import DeliveryState
from calfeed.services.deliveries import retry_deliveries, retry_failed
from calfeed.store.endpoints.records import list_endpoints, load_endpoints
from calfeed.store.outbox import deliveries
from calfeed.store.outbox.deliveries import RetryResult
from calfeed.store.outbox.messages import load_bodies
from calfeed.store.reports import history
from calfeed.web.console.context import ConsoleContext, form_value, read_day, read_number

_PAGE_SIZE = 50


def add_routes(console: Flask, context: ConsoleContext) -> None:
    @console.get("/deliveries")
    def list_deliveries() -> str:
        errors: dict[str, str] = {}
        since = uids = None
        state, endpoint_id = form_value("state"), form_value("endpoint_id")
        with context.database.read() as connection:
            try:
                since = read_day(form_value("since")) if form_value("since") else None
            except InvalidInputError as error:
                errors["since"] = str(error)
            try:
                uids = (
                    history.find_uids(connection, form_value("event"))
                    if form_value("event")
                    else None
                )
            except NotFoundError as error:
                errors["event"] = str(error)
            if state and state not in [*DeliveryState]:
                errors["state"] = f'"{state}" is not a state of deliveries'
            found = []
            if not errors:
                found = deliveries.list_deliveries(
                    connection,
                    endpoint_id=endpoint_id or None,
                    states=[DeliveryState(state)] if state else [],
                    uids=uids,
                    since=since,
                    before=read_number(form_value("before")),
                    limit=_PAGE_SIZE + 1,
                )
            endpoints = list_endpoints(connection)
        chosen = {name: form_value(name) for name in ("state", "endpoint_id", "event", "since")}
        return render_template(
            "console/deliveries.html",
            found=found[:_PAGE_SIZE],
            older=found[_PAGE_SIZE - 1].id if len(found) > _PAGE_SIZE else None,
            chosen={name: text for name, text in chosen.items() if text},
            errors=errors,
            states=[*DeliveryState],
            endpoints=endpoints,
        )

    @console.get("/deliveries/<int(max=9223372036854775807):number>")
    def show_delivery(number: int) -> str:
        with context.database.read() as connection:
            found = deliveries.find_delivery(connection, number)
            attempts = deliveries.load_attempts(connection, number)
            key = (found.message_id, found.language)
            body = load_bodies(connection, [key])[key].body
            endpoint = load_endpoints(connection, [found.endpoint_id]).get(found.endpoint_id)
        message = json.dumps(json.loads(body), ensure_ascii=False, indent=2) if body else ""
        return render_template(
            "console/delivery.html",
            delivery=found,
            attempts=attempts,
            endpoint=endpoint,
            message=message,
        )

    @console.post("/deliveries/retry", endpoint="retry_deliveries")
    def retry() -> WsgiResponse:
        selected = map(read_number, request.form.getlist("delivery"))
        numbers = [number for number in selected if number is not None]
        target, now = url_for("list_deliveries", **_filters()), context.clock()
        retried = RetryResult()
        if form_value("all_since"):
            since = read_day(form_value("all_since"))
            retried = retry_failed(context.database, form_value("endpoint_id"), since, now)
            target = url_for("show_endpoint", endpoint_id=form_value("endpoint_id"))
        elif numbers:
            retried = retry_deliveries(context.database, numbers, now)
            if len(numbers) == 1 and form_value("from") == "delivery":
                target = url_for("show_delivery", number=numbers[0])
        _flash_result(retried)
        return redirect(target, 303)


def _filters() -> dict[str, Any]:
    named = {name: form_value(name) for name in ("state", "endpoint_id", "event", "since")}
    return {name: text for name, text in named.items() if text}


def _flash_result(retried: RetryResult) -> None:
    if not (retried.pending or retried.held or retried.refused):
        flash("No delivery was selected, so nothing was sent again.", "bad")
    if retried.pending:
        flash(f"{_count(len(retried.pending))} being sent again.", "good")
    if retried.held:
        flash(f"{_count(len(retried.held))} held until the endpoint is resumed.", "good")
    for number, reason in list(retried.refused.items())[:5]:
        flash(f"Delivery {number} {reason}, so it is not sent again.", "bad")
    if len(retried.refused) > 5:
        flash(f"{len(retried.refused) - 5} more deliveries are not sent again.", "bad")


def _count(number: int) -> str:
    return f"{count(number, 'delivery')} {'is' if number == 1 else 'are'}"
