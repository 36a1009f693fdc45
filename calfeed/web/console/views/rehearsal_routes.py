"""The pages about rehearsals: send a period's reminders to an endpoint, and watch the result."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask, redirect, render_template, request, url_for

from calfeed.errors import ConflictError, InvalidFieldsError, NotFoundError
from calfeed.model.states import DeliveryState
from calfeed.services.rehearsals import MAX_REMINDERS, make_rehearsal
from calfeed.store.endpoints.records import list_endpoints, load_endpoints
from calfeed.store.outbox.deliveries import list_deliveries
from calfeed.store.outbox.rehearsals import find_rehearsal
from calfeed.web.console.context import ConsoleContext, form_value, read_window


def add_routes(console: Flask, context: ConsoleContext) -> None:
    @console.route("/rehearsals/new", methods=["GET", "POST"], endpoint="make_rehearsal")
    def show_form() -> Any:
        now = context.clock()
        window, errors = read_window(
            form_value("from"), form_value("to"), (now, now + timedelta(days=90))
        )
        with context.database.read() as connection:
            endpoints = list_endpoints(connection)
        if request.method == "POST" and not errors:
            rehearsal_id = _start_rehearsal(context, window, errors)
            if rehearsal_id is not None:
                return redirect(url_for("show_rehearsal", rehearsal_id=rehearsal_id), 303)
        page = render_template(
            "console/rehearse.html",
            endpoints=endpoints,
            chosen=form_value("endpoint_id"),
            begin=form_value("from") or f"{window[0]:%Y-%m-%d}",
            end=form_value("to") or f"{window[1] - timedelta.resolution:%Y-%m-%d}",
            errors=errors,
        )
        return page, 422 if errors and request.method == "POST" else 200

    @console.get("/rehearsals/<rehearsal_id>")
    def show_rehearsal(rehearsal_id: str) -> str:
        with context.database.read() as connection:
            rehearsal = find_rehearsal(connection, rehearsal_id)
            rows = list_deliveries(connection, ids=rehearsal.deliveries, limit=MAX_REMINDERS)
            endpoint = load_endpoints(connection, [rehearsal.endpoint_id]).get(
                rehearsal.endpoint_id
            )
        return render_template(
            "console/rehearsal.html",
            rehearsal=rehearsal,
            endpoint=endpoint,
            last_day=rehearsal.ends - timedelta.resolution,
            rows=sorted(rows, key=lambda row: row.id),
            received=sum(row.state is DeliveryState.DELIVERED for row in rows),
            # The page does not wait for retries of failed attempts.
            running=any(row.state is DeliveryState.PENDING and row.attempts == 0 for row in rows)
            and context.clock() - rehearsal.at < timedelta(minutes=10),
        )


def _start_rehearsal(context: ConsoleContext, window: Any, errors: dict[str, str]) -> str | None:
    """Start the rehearsal and return its id; after a failure, add to `errors` and return None."""
    base_url, endpoint_id, now = (
        context.settings.base_url,
        form_value("endpoint_id"),
        context.clock(),
    )
    try:
        return make_rehearsal(context.database, base_url, endpoint_id, window, now).id
    except NotFoundError:
        errors["endpoint_id"] = "choose an endpoint to send to"
    except ConflictError as error:
        errors["endpoint_id"] = f"{error}; resume it first"
    except InvalidFieldsError as error:
        errors.update({fault.field: fault.message for fault in error.faults})
    return None
