"""The `data` of each type of operational message, as models, and an example of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import Field

from calfeed.errors import Problem
from calfeed.reminders.contract.data import Data
from calfeed.reminders.contract.dates import Part, TimeText
from calfeed.reminders.messages import Message
from calfeed.reminders.operational import messages
from calfeed.reminders.operational.messages import MAX_LISTED


class ReportedEndpoint(Part):
    """An endpoint that a message is about."""

    id: str
    description: str = Field(description="What the operator wrote about it; may be empty.")


class EndpointFailingData(Data):
    """An endpoint whose attempts fail."""

    endpoint: ReportedEndpoint
    since: TimeText = Field(description="Since when every attempt has failed (UTC).")
    error: str = Field(description="The error of the last attempt, or its status.")


class EndpointDisabledData(Data):
    """An endpoint that calfeed has disabled."""

    endpoint: ReportedEndpoint
    reason: str = Field(description="Why it was disabled.")


class EndpointRecoveredData(Data):
    """An endpoint that works again."""

    endpoint: ReportedEndpoint
    since: TimeText | None = Field(description="Since when it had failed (UTC), if it had.")
    resumed: bool = Field(description="Whether somebody resumed it.")


class GivenUpDelivery(Part):
    """A delivery that was given up."""

    id: int
    type: str = Field(description="The type of its message.")
    attempts: int = Field(ge=0)


class DeliveryFailedData(Data):
    """Deliveries that were given up."""

    kind: Literal["webhook", "registered", "mail", "push"] = Field(
        description="The kind of their endpoints."
    )
    endpoint: ReportedEndpoint | None = Field(
        description="The endpoint; null for registered ones, people and browsers."
    )
    count: int = Field(ge=1)
    deliveries: list[GivenUpDelivery] = Field(description=f"The first {MAX_LISTED}.")
    silent_until: TimeText = Field(
        description="The time until which others are not reported (UTC)."
    )


class ReportedProblem(Part):
    """Where a problem is. Its text is left out, because it could quote a private calendar."""

    file: str
    line: int | None
    column: int | None
    key: str | None


class PublishRefusedData(Data):
    """Definitions that were not published."""

    why: Literal["problems", "removals", "error"]
    count: int = Field(ge=0, description="The number of problems.")
    problems: list[ReportedProblem] = Field(description=f"The first {MAX_LISTED}.")
    published: TimeText | None = Field(
        description="When the state that is still served was published (UTC), if one was."
    )


class MissedReminderData(Part):
    """A reminder that was found too late."""

    event: str = Field(description="The slug of its event.")
    rule: str = Field(description="How long before the occurrence it was due.")
    due: TimeText


class ReminderMissedData(Data):
    """Reminders of a calendar that were found too late, and are not sent."""

    calendar: str
    count: int = Field(ge=1)
    reminders: list[MissedReminderData] = Field(description=f"The first {MAX_LISTED}.")
    silent_until: TimeText = Field(
        description="The time until which others are not reported (UTC)."
    )


class WorkerSilentData(Data):
    """A worker that has ended without removing its heartbeat, or hangs."""

    host: str
    pid: int
    version: str = Field(description="Its version of calfeed.")
    last_heartbeat: TimeText
    others: int = Field(ge=0, description="The number of workers that are still running.")


class CertificateExpiringData(Data):
    """A receiver whose TLS certificate expires soon."""

    endpoint: ReportedEndpoint
    until: TimeText = Field(description="When the certificate expires (UTC).")


_NOW = datetime(2030, 1, 7, 6, 20, tzinfo=UTC)
_SINCE = datetime(2030, 1, 7, 5, 40, tzinfo=UTC)
_DESK = messages.EndpointName("ep_f282773a29b74c6e", "Grants desk")


def make_failing() -> Message:
    """An endpoint that has been failing for 40 minutes."""
    return messages.endpoint_failing(_DESK, _SINCE, "status 503", _NOW)


def make_disabled() -> Message:
    """An endpoint whose receiver is gone."""
    return messages.endpoint_disabled(_DESK, "its receiver responded with 410 (gone)", _NOW)


def make_recovered() -> Message:
    """The endpoint that was failing, after it received a message."""
    return messages.endpoint_recovered(_DESK, _SINCE, _NOW)


def make_given_up() -> Message:
    """One delivery, after its last attempt."""
    given_up = [messages.FailedDelivery(7, "reminder.due", 10)]
    return messages.delivery_failed("webhook", _DESK, given_up, _NOW)


def make_refused() -> Message:
    """Definitions with one problem."""
    problem = Problem("events/grants.yaml", 14, 5, "events.report-due.start", "is not a date")
    return messages.publish_refused("problems", [problem], _SINCE, "1", _NOW)


def make_missed() -> Message:
    """Three reminders, of which one is listed."""
    missed = [messages.MissedReminder("report-due", "1 week before", _SINCE)]
    return messages.reminder_missed("grants", missed, 3, _NOW)


def make_silent() -> Message:
    """One worker of two."""
    process = messages.SilentProcess("0f", "one.example", 4711, "0.2.0", _SINCE)
    return messages.worker_silent(process, 1, _NOW)


def make_expiring() -> Message:
    """A certificate that is valid for nine days."""
    return messages.certificate_expiring(_DESK, _NOW + timedelta(days=9), _NOW)
