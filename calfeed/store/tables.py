"""The tables. A test checks that `migrations/` creates the same schema."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
    text,
    true,
)

from calfeed.model.states import DeliveryState, ReminderState
from calfeed.store.access.tables import answers as answers
from calfeed.store.access.tables import polls as polls
from calfeed.store.access.tables import registrations as registrations
from calfeed.store.access.tables import session_keys as session_keys
from calfeed.store.access.tables import sessions as sessions
from calfeed.store.access.tables import sign_in_links as sign_in_links
from calfeed.store.access.tables import tokens as tokens
from calfeed.store.columns import Instant, Serial, partial_index, state_type
from calfeed.store.columns import metadata as metadata
from calfeed.store.endpoints.tables import endpoints as endpoints
from calfeed.store.endpoints.tables import rehearsals as rehearsals
from calfeed.store.people.tables import follow_requests as follow_requests
from calfeed.store.people.tables import people as people
from calfeed.store.people.tables import people_keys as people_keys
from calfeed.store.people.tables import sign_ups as sign_ups
from calfeed.store.push.tables import push_keys as push_keys
from calfeed.store.push.tables import push_subscriptions as push_subscriptions
from calfeed.store.secrets.private_columns import PrivateBytes, PrivateText
from calfeed.store.secrets.sealing import SEALED
from calfeed.store.watching.tables import heartbeats as heartbeats
from calfeed.store.watching.tables import refusals as refusals

PLANNED = f"state = '{ReminderState.PLANNED}'"
"""The condition of the partial index of planned reminders."""

SETTLED = f"state <> '{ReminderState.PLANNED}'"
"""The condition of the partial index of other reminders."""

UNSENT_STATES = (DeliveryState.EXPIRED, DeliveryState.FAILED, DeliveryState.DROPPED)
UNSENT = f"state IN ({', '.join(repr(state.value) for state in UNSENT_STATES)})"
"""The condition of the partial index of deliveries that ended without success."""

PENDING = f"state = '{DeliveryState.PENDING}'"
GATHERED = f"state = '{DeliveryState.GATHERED}'"
HELD = f"state = '{DeliveryState.HELD}'"

# One row: the random id of this installation, which is part of the UIDs that it generates.
installation = Table(
    "installation",
    metadata,
    Column("id", String(36), primary_key=True),
    # The last publish before the installation had an id. Earlier UIDs are kept.
    Column("since", Serial, nullable=False),
    # The SEQUENCE of a new event; a restore raises it.
    Column("first_sequence", Integer, nullable=False),
)

# One row: the last recorded time of a worker, to compare other clocks with.
clock = Table(
    "clock",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
)

publishes = Table(
    "publishes",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("summary", Text, nullable=False),
    # JSON
    Column("changes", PrivateText("publishes", "changes", ("id",)), nullable=False),
    # Who made it, and with which command; None: unknown.
    Column("author", String(100)),
    Column("command", String(32)),
    # Whether it changed anything public. Public responses depend on these publishes only.
    Column("public", Boolean, nullable=False, server_default=true()),
)

calendars = Table(
    "calendars",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("content", PrivateText("calendars", "content", ("slug",)), nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("publish_id", Serial, ForeignKey("publishes.id"), nullable=False),
    # Whether its rows are sealed. A former name is as private as the present one.
    Column("private", Boolean, nullable=False, server_default=false()),
)

# One row: what `site.yaml` says, with the files that it names, as JSON.
sites = Table(
    "sites",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),
    Column("publish_id", Serial, ForeignKey("publishes.id"), nullable=False),
)

# A digest of each calendar's definition files, so that unchanged files are not read again.
readings = Table(
    "readings",
    metadata,
    Column("calendar", String(64), primary_key=True),
    Column("digest", String(64), nullable=False),
    # JSON
    Column("warnings", PrivateText("readings", "warnings", ("calendar",)), nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("uid", String(255), primary_key=True),
    Column("calendar", String(64), ForeignKey("calendars.slug"), nullable=False),
    Column("slug", String(64), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("renderer", Integer, nullable=False),
    Column("revision", PrivateText("events", "revision", ("uid",)), nullable=False),
    Column("vevent", PrivateBytes("events", "vevent", ("uid",)), nullable=False),
    # The year (UTC) in which its last occurrence ends; 10000 if it is endless.
    Column("last_year", Integer, nullable=False),
    # When it was withdrawn; set while it is still shown as cancelled.
    Column("withdrawn_at", Instant),
    # The time to which reminders are planned; None: there are no more to come.
    Column("planned_until", Instant),
    Index("ix_events_calendar_slug", "calendar", "slug"),
    Index("ix_events_planned_until", "planned_until"),
)

# Renderings of events in other languages, or with the cancellation in the title.
renderings = Table(
    "renderings",
    metadata,
    Column("uid", String(255), ForeignKey("events.uid", ondelete="CASCADE"), primary_key=True),
    Column("language", String(64), primary_key=True),
    Column("marked", Boolean, primary_key=True),
    Column(
        "vevent",
        PrivateBytes("renderings", "vevent", ("uid", "language", "marked")),
        nullable=False,
    ),
)

# All categories that events of a calendar ever had, because their feeds may have subscribers.
categories = Table(
    "categories",
    metadata,
    Column("calendar", String(64), primary_key=True),
    # Sealing is not deterministic, so the name cannot be part of the place.
    Column("name", PrivateText("categories", "name", ("calendar",)), primary_key=True),
)

# The names that events of public calendars ever had, because subscriptions use these names. Each
# name has the UID of the event that had it last.
event_names = Table(
    "event_names",
    metadata,
    Column("calendar", String(64), primary_key=True),
    Column("slug", String(64), primary_key=True),
    Column("uid", String(255), nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    Column("uid", String(255), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("calendar", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("revision", PrivateText("revisions", "revision", ("uid", "sequence")), nullable=False),
    Column("publish_id", Serial, ForeignKey("publishes.id"), nullable=False, index=True),
    # The number of the publish that announced it; None: it was not announced, or only as a part of
    # the change to a later revision.
    Column("announced_in", BigInteger),
    # The announced kind of change, and the revision before it; None: the event was new.
    Column("announced_as", String(16)),
    Column("announced_from", Integer),
    Index("ix_revisions_calendar_at", "calendar", "at"),
    Index("ix_revisions_announced_in", "announced_in", "uid", "sequence"),
)

# Changes of events that are not announced yet.
announcements = Table(
    "announcements",
    metadata,
    Column("uid", String(255), primary_key=True),
    # The revision that was announced last; None: there was none.
    Column("base", Integer),
    Column("due", Instant, nullable=False, index=True),
)

reminders = Table(
    "reminders",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("uid", String(255), nullable=False),
    Column("occurrence", String(16), nullable=False),
    Column("begins", Instant, nullable=False),
    Column("rule", String(64), nullable=False),
    Column("due", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("state", state_type(ReminderState), nullable=False),
    Column("settled_at", Instant),
    # Not sent before this time, at which its event is announced; None: sent when it is due.
    Column("send_from", Instant),
    Index("ix_reminders_uid_begins", "uid", "begins"),
    Index(
        "ix_reminders_send_from",
        "send_from",
        sqlite_where=text(f"{PLANNED} AND send_from IS NOT NULL"),
        postgresql_where=text(f"{PLANNED} AND send_from IS NOT NULL"),
    ),
    Index(
        "ix_reminders_due",
        "due",
        sqlite_where=text(PLANNED),
        postgresql_where=text(PLANNED),
    ),
    Index(
        "ix_reminders_until", "until", sqlite_where=text(SETTLED), postgresql_where=text(SETTLED)
    ),
)

messages = Table(
    "messages",
    metadata,
    Column("id", String(40), primary_key=True),
    # JSON without the categories, which can be private and are in a column of their own.
    Column("subject", Text, nullable=False),
    # The slug that its calendar had; empty if it is about several.
    Column("calendar", String(64), nullable=False, server_default=text("''")),
    Column(
        "categories",
        PrivateText("messages", "categories", ("id",)),
        nullable=False,
        server_default="[]",
    ),
    Column("at", Instant, nullable=False),
    # Not sent before this time; None: at once.
    Column("send_from", Instant),
    Column("until", Instant),
    # The message in one line, which is kept when the body is deleted.
    Column("text", PrivateText("messages", "text", ("id",)), nullable=False),
    Column("body", PrivateBytes("messages", "body", ("id",))),
    # The event and the reminder that it is about.
    Column("uid", String(255)),
    Column("reminder", String(40)),
    # The last endpoint that fan-out has reached; None when it is complete.
    Column("fanned_out_to", String(40)),
    Index(
        "ix_messages_waiting",
        "at",
        sqlite_where=text("fanned_out_to IS NOT NULL"),
        postgresql_where=text("fanned_out_to IS NOT NULL"),
    ),
    Index("ix_messages_at", "at", "id"),
    Index("ix_messages_calendar", "calendar"),
    Index("ix_messages_reminder", "reminder"),
    Index("ix_messages_uid", "uid"),
    Index(
        "ix_messages_with_body",
        "at",
        sqlite_where=text("body IS NOT NULL"),
        postgresql_where=text("body IS NOT NULL"),
    ),
)

# The bodies of messages in other languages that endpoints want.
translations = Table(
    "translations",
    metadata,
    Column(
        "message_id", String(40), ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("language", String(35), primary_key=True),
    Column(
        "body", PrivateBytes("translations", "body", ("message_id", "language")), nullable=False
    ),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("message_id", String(40), ForeignKey("messages.id"), nullable=False),
    Column("endpoint_id", String(40), ForeignKey("endpoints.id"), nullable=False),
    Column("state", state_type(DeliveryState), nullable=False),
    # When a pending delivery may be claimed. A claim sets it to the end of the lease.
    Column("next_at", Instant, nullable=False),
    # The number of the last claim; only that claim may settle the delivery.
    Column("claim", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("settled_at", Instant),
    # The message id of the digest that contains it.
    Column("digest", String(40)),
    # The translation that it sends in every attempt; None: the message as it is.
    Column("language", String(35)),
    partial_index("ix_deliveries_next_at", "next_at", where=PENDING),
    partial_index("ix_deliveries_gathered", "next_at", where=GATHERED),
    # In the order in which a polled endpoint's deliveries are fetched.
    partial_index("ix_deliveries_held", "endpoint_id", "id", where=HELD),
    Index("uq_deliveries_message_id_endpoint_id", "message_id", "endpoint_id", unique=True),
    # On PostgreSQL without pending and delivered rows, so that claims need not update it.
    Index(
        "ix_deliveries_endpoint_id",
        "endpoint_id",
        postgresql_where=text(
            f"state NOT IN ('{DeliveryState.PENDING}', '{DeliveryState.DELIVERED}')"
        ),
    ),
    partial_index("ix_deliveries_unsent", "settled_at", where=UNSENT),
)

attempts = Table(
    "attempts",
    metadata,
    # No foreign key to `deliveries`, as it would be checked and locked for each attempt.
    Column("delivery_id", Serial, primary_key=True, autoincrement=False),
    Column("claim", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    # Sealed, as a receiver can repeat headers or a private title.
    Column("response", Text, info=SEALED),
)
