"""The first page: what fires next and to whom, what failed, what needs somebody."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask, render_template

from calfeed.model.states import DeliveryState, EndpointState
from calfeed.publish.windows import find_receivers
from calfeed.store.catalog.publishes import list_publishes
from calfeed.store.catalog.visibility import is_public
from calfeed.store.endpoints.records import list_endpoints
from calfeed.store.outbox.deliveries import list_deliveries
from calfeed.store.outbox.upcoming import earliest_due, load_next_reminders
from calfeed.web.console.context import Desk

_LATE = timedelta(minutes=1)
"""How long something may be overdue until it looks as if no worker were running."""


def add_routes(console: Flask, desk: Desk) -> None:
    """Add the first page."""

    @console.get("/")
    def show_overview() -> str:
        now = desk.clock()
        with desk.database.read() as connection:
            coming = load_next_reminders(connection, 6)
            waiting = earliest_due(connection)
            endpoints = list_endpoints(connection)
            failed = list_deliveries(
                connection, states=[DeliveryState.FAILED, DeliveryState.EXPIRED], limit=5
            )
            publishes = list_publishes(connection, limit=1)
            following = []
            for row, revision in coming:
                event = revision.event
                public = is_public(connection, event.calendar)
                following.append((row, event, find_receivers(endpoints, event, public)))
        return render_template(
            "console/overview.html",
            following=following,
            overdue=waiting if waiting and waiting < now - _LATE else None,
            endpoints=endpoints,
            troubled=[
                one
                for one in endpoints
                if one.state is not EndpointState.ACTIVE or one.failing_since
            ],
            failed=failed,
            published=publishes[0] if publishes else None,
        )
