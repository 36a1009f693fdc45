"""Rehearsals: the reminders of a window, sent now to one endpoint, watched as they arrive."""

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
from calfeed.web.console.context import Desk, asked, read_window


def add_routes(console: Flask, desk: Desk) -> None:
    """Add the pages about rehearsals."""

    @console.route("/rehearsals/new", methods=["GET", "POST"], endpoint="make_rehearsal")
    def show_form() -> Any:
        now = desk.clock()
        window, errors = read_window(asked("from"), asked("to"), (now, now + timedelta(days=90)))
        with desk.database.read() as connection:
            endpoints = list_endpoints(connection)
        if request.method == "POST" and not errors:
            made = _rehearse(desk, window, errors)
            if made is not None:
                return redirect(url_for("show_rehearsal", rehearsal_id=made), 303)
        page = render_template(
            "console/rehearse.html",
            endpoints=endpoints,
            chosen=asked("endpoint_id"),
            begin=asked("from") or f"{window[0]:%Y-%m-%d}",
            end=asked("to") or f"{window[1] - timedelta.resolution:%Y-%m-%d}",
            errors=errors,
        )
        return page, 422 if errors and request.method == "POST" else 200

    @console.get("/rehearsals/<rehearsal_id>")
    def show_rehearsal(rehearsal_id: str) -> str:
        with desk.database.read() as connection:
            made = find_rehearsal(connection, rehearsal_id)
            rows = list_deliveries(connection, ids=made.deliveries, limit=MAX_REMINDERS)
            endpoint = load_endpoints(connection, [made.endpoint_id]).get(made.endpoint_id)
        return render_template(
            "console/rehearsal.html",
            made=made,
            endpoint=endpoint,
            last_day=made.ends - timedelta.resolution,
            rows=sorted(rows, key=lambda row: row.id),
            received=sum(row.state is DeliveryState.DELIVERED for row in rows),
            # One that failed is tried again later, which is not waited for here.
            running=any(row.state is DeliveryState.PENDING and row.attempts == 0 for row in rows)
            and desk.clock() - made.at < timedelta(minutes=10),
        )


def _rehearse(desk: Desk, window: Any, errors: dict[str, str]) -> str | None:
    """Make the rehearsal that was asked for; None, with what is wrong, where that cannot be."""
    base_url, endpoint_id, now = desk.settings.base_url, asked("endpoint_id"), desk.clock()
    try:
        return make_rehearsal(desk.database, base_url, endpoint_id, window, now).id
    except NotFoundError:
        errors["endpoint_id"] = "choose an endpoint to send to"
    except ConflictError as error:
        errors["endpoint_id"] = f"{error}; resume it first"
    except InvalidFieldsError as error:
        errors.update({fault.field: fault.message for fault in error.faults})
    return None
