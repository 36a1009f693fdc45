"""Deliveries: found by what they are about, looked at with every attempt, sent again."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from calfeed.counting import count
from calfeed.errors import InvalidInputError, NotFoundError
from calfeed.model.states import DeliveryState
from calfeed.services.deliveries import retry_deliveries, retry_failed
from calfeed.store.endpoints.records import list_endpoints, load_endpoints
from calfeed.store.outbox import deliveries
from calfeed.store.outbox.deliveries import RetryResult
from calfeed.store.outbox.messages import load_messages
from calfeed.store.reports import history
from calfeed.web.console.context import Desk, asked, read_day, read_number

_PAGE = 50


def add_routes(console: Flask, desk: Desk) -> None:
    """Add the pages about deliveries."""

    @console.get("/deliveries")
    def list_deliveries() -> str:
        errors: dict[str, str] = {}
        since = uids = None
        state, endpoint_id = asked("state"), asked("endpoint_id")
        with desk.database.read() as connection:
            try:
                since = read_day(asked("since")) if asked("since") else None
            except InvalidInputError as error:
                errors["since"] = str(error)
            try:
                uids = history.find_uids(connection, asked("event")) if asked("event") else None
            except NotFoundError as error:
                errors["event"] = str(error)
            if state and state not in [*DeliveryState]:
                errors["state"] = "there is no such state"
            found = []
            if not errors:
                found = deliveries.list_deliveries(
                    connection,
                    endpoint_id=endpoint_id or None,
                    states=[DeliveryState(state)] if state else [],
                    uids=uids,
                    since=since,
                    before=read_number(asked("before")),
                    limit=_PAGE + 1,
                )
            endpoints = list_endpoints(connection)
        chosen = {name: asked(name) for name in ("state", "endpoint_id", "event", "since")}
        return render_template(
            "console/deliveries.html",
            found=found[:_PAGE],
            older=found[_PAGE - 1].id if len(found) > _PAGE else None,
            chosen={name: text for name, text in chosen.items() if text},
            errors=errors,
            states=[*DeliveryState],
            endpoints=endpoints,
        )

    @console.get("/deliveries/<int(max=9223372036854775807):number>")
    def show_delivery(number: int) -> str:
        with desk.database.read() as connection:
            found = deliveries.find_delivery(connection, number)
            attempts = deliveries.load_attempts(connection, number)
            body = load_messages(connection, [found.message_id])[found.message_id].body
            endpoint = load_endpoints(connection, [found.endpoint_id]).get(found.endpoint_id)
        message = json.dumps(json.loads(body), ensure_ascii=False, indent=2) if body else ""
        return render_template(
            "console/delivery.html",
            one=found,
            attempts=attempts,
            endpoint=endpoint,
            message=message,
        )

    @console.post("/deliveries/retry", endpoint="retry_deliveries")
    def retry() -> Answer:
        chosen = map(read_number, request.form.getlist("delivery"))
        numbers = [number for number in chosen if number is not None]
        back, now = url_for("list_deliveries", **_filters()), desk.clock()
        done = RetryResult()
        if asked("all_since"):
            since = read_day(asked("all_since"))
            done = retry_failed(desk.database, asked("endpoint_id"), since, now)
            back = url_for("show_endpoint", endpoint_id=asked("endpoint_id"))
        elif numbers:
            done = retry_deliveries(desk.database, numbers, now)
            if len(numbers) == 1 and asked("from") == "delivery":
                back = url_for("show_delivery", number=numbers[0])
        _say(done)
        return redirect(back, 303)


def _filters() -> dict[str, Any]:
    named = {name: asked(name) for name in ("state", "endpoint_id", "event", "since")}
    return {name: text for name, text in named.items() if text}


def _say(done: RetryResult) -> None:
    if not (done.pending or done.held or done.refused):
        flash("No delivery was chosen, so nothing is sent again.", "bad")
    if done.pending:
        flash(f"{_count(len(done.pending))} sent again now.", "good")
    if done.held:
        flash(f"{_count(len(done.held))} held until the endpoint is resumed.", "good")
    for number, why in list(done.refused.items())[:5]:
        flash(f"Delivery {number} {why}, so it is not sent again.", "bad")
    if len(done.refused) > 5:
        flash(f"And {len(done.refused) - 5} more are not sent again.", "bad")


def _count(number: int) -> str:
    return f"{count(number, 'delivery')} {'is' if number == 1 else 'are'}"
