"""The tables. Their history is in `migrations/`; a test holds that both say the same."""

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

from calfeed.model.states import DeliveryState, EndpointState, ReminderState
from calfeed.store.access.tables import answers as answers
from calfeed.store.access.tables import polls as polls
from calfeed.store.access.tables import registrations as registrations
from calfeed.store.access.tables import session_keys as session_keys
from calfeed.store.access.tables import sessions as sessions
from calfeed.store.access.tables import sign_in_links as sign_in_links
from calfeed.store.access.tables import tokens as tokens
from calfeed.store.columns import Instant, Serial, state_type
from calfeed.store.columns import metadata as metadata
from calfeed.store.secrets.private_columns import PrivateBytes, PrivateText
from calfeed.store.secrets.sealing import SEALED

PLANNED = f"state = '{ReminderState.PLANNED}'"
"""The condition of the index of reminders that are planned."""

SETTLED = f"state <> '{ReminderState.PLANNED}'"
"""The condition of the index of reminders that are no longer planned."""

UNSENT_STATES = (DeliveryState.EXPIRED, DeliveryState.FAILED, DeliveryState.DROPPED)
UNSENT = f"state IN ({', '.join(repr(one.value) for one in UNSENT_STATES)})"
"""The condition of the index of deliveries that were given up."""

PENDING = f"state = '{DeliveryState.PENDING}'"
GATHERED = f"state = '{DeliveryState.GATHERED}'"

# One row: the random id of this installation, which goes into the UIDs that it makes.
installation = Table(
    "installation",
    metadata,
    Column("id", String(36), primary_key=True),
    # The last publish before it had one: the UIDs that were published by then stay.
    Column("since", Serial, nullable=False),
    # The SEQUENCE of an event that is new: after a restore it can have had others before.
    Column("first_sequence", Integer, nullable=False),
)

# One row: the time of a worker, noted now and then. The next one compares its clock with it.
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
    # Who made it, and with which command; None: that is not known.
    Column("author", String(100)),
    Column("command", String(32)),
    # Whether it changed anything that anybody may see: no public response depends on the others.
    Column("public", Boolean, nullable=False, server_default=true()),
)

calendars = Table(
    "calendars",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("content", PrivateText("calendars", "content", ("slug",)), nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("publish_id", Serial, ForeignKey("publishes.id"), nullable=False),
    # Whether what is kept of it is sealed. A former name is as the present one is.
    Column("private", Boolean, nullable=False, server_default=false()),
)

# What each calendar's files were when it was published, so that they need not be read again.
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
    # The year (UTC) in which its last occurrence ends; 10000 for one that goes on for ever.
    Column("last_year", Integer, nullable=False),
    # Set while a withdrawn event is still shown as cancelled: when it was withdrawn.
    Column("withdrawn_at", Instant),
    # Up to when reminders are planned; None: there are none to come.
    Column("planned_until", Instant),
    Index("ix_events_calendar_slug", "calendar", "slug"),
    Index("ix_events_planned_until", "planned_until"),
)

# What an event looks like in another language, or with its cancelling in the title.
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

# What was sent to an endpoint as a rehearsal; what came of it is in its deliveries.
rehearsals = Table(
    "rehearsals",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("endpoint_id", String(40), ForeignKey("endpoints.id"), nullable=False),
    Column("at", Instant, nullable=False),
    # The window whose reminders were rehearsed.
    Column("begins", Instant, nullable=False),
    Column("ends", Instant, nullable=False),
    # The numbers of its deliveries, as JSON.
    Column("deliveries", Text, nullable=False),
)

# The categories that events of a calendar ever had: people subscribed to feeds of them.
categories = Table(
    "categories",
    metadata,
    Column("calendar", String(64), primary_key=True),
    # Sealed, the same name is another text each time: its row is named by the calendar.
    Column("name", PrivateText("categories", "name", ("calendar",)), primary_key=True),
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
    # The number of the publish or announcement in which people were told of it; None: they were
    # not, or only of a later revision.
    Column("announced_in", BigInteger),
    # The kind of change that was announced, and the revision that it was a change from; None: it
    # was new.
    Column("announced_as", String(16)),
    Column("announced_from", Integer),
    Index("ix_revisions_calendar_at", "calendar", "at"),
    Index("ix_revisions_announced_in", "announced_in", "uid", "sequence"),
)

# Events that were changed and not announced yet.
announcements = Table(
    "announcements",
    metadata,
    Column("uid", String(255), primary_key=True),
    # The revision that was announced last; None: none ever was.
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
    # Not sent before, though it is due: its event is not announced yet.
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

endpoints = Table(
    "endpoints",
    metadata,
    Column("id", String(40), primary_key=True),
    # Empty for one that was removed.
    Column("url", Text, nullable=False, info=SEALED),
    Column("description", Text, nullable=False),
    Column("filters", Text, nullable=False),
    Column("options", Text, nullable=False),
    # Sent along with every message; they can hold tokens. Empty where there are none.
    Column("headers", Text, nullable=False, info=SEALED),
    Column("secret", Text, nullable=False, info=SEALED),
    # The secret before this one: messages are signed with both until then.
    Column("former_secret", Text, info=SEALED),
    Column("former_until", Instant),
    Column("state", state_type(EndpointState), nullable=False),
    # Why it is disabled, for people.
    Column("reason", Text),
    Column("created", Instant, nullable=False),
    Column("settled_at", Instant),
    # When the first attempt failed of those that have all failed since.
    Column("failing_since", Instant),
    # Up to when its rate is used up.
    Column("paced_to", Instant),
)

messages = Table(
    "messages",
    metadata,
    Column("id", String(40), primary_key=True),
    # JSON: what it is about, without the categories, which are a list in JSON of their own.
    Column("subject", Text, nullable=False),
    Column(
        "categories",
        PrivateText("messages", "categories", ("id",)),
        nullable=False,
        server_default="[]",
    ),
    Column("at", Instant, nullable=False),
    # Not sent before; None: at once.
    Column("send_from", Instant),
    Column("until", Instant),
    # What it says in one line, which is kept when the body no longer is.
    Column("text", PrivateText("messages", "text", ("id",)), nullable=False),
    Column("body", PrivateBytes("messages", "body", ("id",))),
    # The event and the reminder it tells of, for the record.
    Column("uid", String(255)),
    Column("reminder", String(40)),
    # The last endpoint for which a delivery was made; None when all have theirs.
    Column("fanned_out_to", String(40)),
    Index(
        "ix_messages_waiting",
        "at",
        sqlite_where=text("fanned_out_to IS NOT NULL"),
        postgresql_where=text("fanned_out_to IS NOT NULL"),
    ),
    Index("ix_messages_at", "at", "id"),
    Index("ix_messages_reminder", "reminder"),
    Index("ix_messages_uid", "uid"),
    Index(
        "ix_messages_with_body",
        "at",
        sqlite_where=text("body IS NOT NULL"),
        postgresql_where=text("body IS NOT NULL"),
    ),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("message_id", String(40), ForeignKey("messages.id"), nullable=False),
    Column("endpoint_id", String(40), ForeignKey("endpoints.id"), nullable=False),
    Column("state", state_type(DeliveryState), nullable=False),
    # When a worker may next take a pending delivery. Taking it puts this ahead: it is the lease.
    Column("next_at", Instant, nullable=False),
    # A number that goes up with each claim: who claimed last may record the result.
    Column("claim", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("settled_at", Instant),
    # The digest that told of it.
    Column("digest", String(40)),
    Index(
        "ix_deliveries_next_at",
        "next_at",
        sqlite_where=text(PENDING),
        postgresql_where=text(PENDING),
    ),
    Index(
        "ix_deliveries_gathered",
        "next_at",
        sqlite_where=text(GATHERED),
        postgresql_where=text(GATHERED),
    ),
    Index("uq_deliveries_message_id_endpoint_id", "message_id", "endpoint_id", unique=True),
    # On PostgreSQL without what is under way or delivered: each claim and end would write it anew.
    Index(
        "ix_deliveries_endpoint_id",
        "endpoint_id",
        postgresql_where=text(
            f"state NOT IN ('{DeliveryState.PENDING}', '{DeliveryState.DELIVERED}')"
        ),
    ),
    Index(
        "ix_deliveries_unsent",
        "settled_at",
        sqlite_where=text(UNSENT),
        postgresql_where=text(UNSENT),
    ),
)

attempts = Table(
    "attempts",
    metadata,
    # Of `deliveries`. No foreign key: it would be looked up and locked for each attempt.
    Column("delivery_id", Serial, primary_key=True, autoincrement=False),
    Column("claim", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    # A receiver can say again what it was sent: headers, a private title.
    Column("response", Text, info=SEALED),
)
