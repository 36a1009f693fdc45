"""The tables of endpoints and their rehearsals."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, String, Table, Text, false

from calfeed.model.states import EndpointKind, EndpointState
from calfeed.store.columns import Instant, metadata, state_type
from calfeed.store.secrets.sealing import SEALED

endpoints = Table(
    "endpoints",
    metadata,
    Column("id", String(40), primary_key=True),
    Column(
        "kind",
        state_type(EndpointKind),
        nullable=False,
        server_default=EndpointKind.WEBHOOK.value,
    ),
    # Empty if the endpoint was removed.
    Column("url", Text, nullable=False, info=SEALED),
    Column("description", Text, nullable=False),
    Column("filters", Text, nullable=False),
    # Whether the endpoint never receives messages about private calendars; also part of `filters`.
    Column("public_only", Boolean, nullable=False, server_default=false()),
    Column("options", Text, nullable=False),
    # HTTP headers as JSON, which can contain tokens; empty if there are none.
    Column("headers", Text, nullable=False, info=SEALED),
    Column("secret", Text, nullable=False, info=SEALED),
    # The previous secret: messages are signed with both until `former_until`.
    Column("former_secret", Text, info=SEALED),
    Column("former_until", Instant),
    Column("state", state_type(EndpointState), nullable=False),
    # Why it is disabled.
    Column("reason", Text),
    Column("created", Instant, nullable=False),
    Column("settled_at", Instant),
    # When the first of the latest attempts failed, if all have failed since.
    Column("failing_since", Instant),
    # The time until which its rate limit is used up.
    Column("paced_to", Instant),
)

# Rehearsals; the results are in their deliveries.
rehearsals = Table(
    "rehearsals",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("endpoint_id", String(40), ForeignKey("endpoints.id"), nullable=False),
    Column("at", Instant, nullable=False),
    # The period whose reminders were rehearsed.
    Column("begins", Instant, nullable=False),
    Column("ends", Instant, nullable=False),
    # The ids of its deliveries, as JSON.
    Column("deliveries", Text, nullable=False),
)
