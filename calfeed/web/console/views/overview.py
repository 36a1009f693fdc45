"""The overview: the next reminders, recent failures, endpoints with problems, what runs."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask, render_template

from calfeed.model.states import DeliveryState, EndpointState
from calfeed.publish.windows import find_receivers
from calfeed.reminders.filters import make_subject
from calfeed.store.catalog.publishes import list_publishes
from calfeed.store.catalog.visibility import is_public
from calfeed.store.endpoints.records import list_endpoints
from calfeed.store.outbox.deliveries import list_deliveries
from calfeed.store.outbox.upcoming import earliest_due, load_next_reminders
from calfeed.store.people.followers import Followers
from calfeed.store.watching.heartbeats import list_heartbeats
from calfeed.web.console.context import ConsoleContext

_OVERDUE_AFTER = timedelta(minutes=1)
"""If a delivery is this late, probably no worker is running."""


def add_routes(console: Flask, context: ConsoleContext) -> None:
    @console.get("/")
    def show_overview() -> str:
        now = context.clock()
        with context.database.read() as connection:
            next_reminders = load_next_reminders(connection, 6)
            waiting = earliest_due(connection)
            endpoints = list_endpoints(connection)
            failed = list_deliveries(
                connection, states=[DeliveryState.FAILED, DeliveryState.EXPIRED], limit=5
            )
            publishes = list_publishes(connection, limit=1)
            processes = list_heartbeats(connection)
            followers, upcoming = Followers(connection, "reminder.due"), []
            for row, revision in next_reminders:
                event = revision.event
                public = is_public(connection, event.calendar)
                people = followers.count(make_subject("reminder.due", event), public)
                upcoming.append((row, event, find_receivers(endpoints, event, public), people))
        return render_template(
            "console/overview.html",
            upcoming=upcoming,
            overdue=waiting if waiting and waiting < now - _OVERDUE_AFTER else None,
            endpoints=endpoints,
            troubled=[
                endpoint
                for endpoint in endpoints
                if endpoint.state is not EndpointState.ACTIVE or endpoint.failing_since
            ],
            failed=failed,
            published=publishes[0] if publishes else None,
            processes=[(one, one.is_alive(now)) for one in processes],
        )
