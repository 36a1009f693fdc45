"""Every type of message that receivers get: the one place in which a type is listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from calfeed.reminders.contract import data, examples, operational
from calfeed.reminders.filters import OPERATIONAL, OPERATIONAL_TYPES
from calfeed.reminders.messages import Message


@dataclass(frozen=True)
class MessageType:
    """A type of message.

    `sent_when` completes "It is sent when …". `data` is the model of the body's `data`. `example`
    makes a message of this type by the code that makes the real ones. Only `filterable` types can
    be named in a filter; messages of other types are sent regardless of the filters. Messages of
    `rehearsable` types are also sent in rehearsals, with a mark.
    """

    name: str
    sent_when: str
    data: type[data.Data]
    example: Callable[[], Message]
    filterable: bool = True
    rehearsable: bool = False


_LISTED = (
    MessageType(
        "reminder.due",
        "a reminder of an occurrence is due",
        data.ReminderData,
        examples.make_reminder,
        rehearsable=True,
    ),
    MessageType(
        "reminder.digest",
        "several occurrences are near, if the endpoint asked for a digest",
        data.DigestData,
        examples.make_digest,
        filterable=False,
    ),
    MessageType("event.added", "an event is new", data.AddedData, examples.make_added),
    MessageType(
        "event.moved",
        "the time of an event, or of an occurrence of it, has changed",
        data.MovedData,
        examples.make_moved,
    ),
    MessageType(
        "event.corrected",
        "the announced time of an event was never right; it has not moved",
        data.CorrectedData,
        examples.make_corrected,
    ),
    MessageType(
        "event.changed",
        "something else about an event has changed",
        data.ChangedData,
        examples.make_changed,
    ),
    MessageType(
        "event.cancelled",
        "an event does not take place, or was withdrawn",
        data.CancelledData,
        examples.make_cancelled,
    ),
    MessageType(
        "event.date_open",
        "the first possible day of an event is 60 days away, and its possible days span more than "
        "a week, so that somebody has to find out the date; sent at 09:00",
        data.ReminderData,
        examples.make_date_open,
        rehearsable=True,
    ),
    MessageType(
        "endpoint.verify",
        "somebody registered this endpoint and has to confirm it",
        data.EndpointVerifyData,
        examples.make_verification,
        filterable=False,
    ),
    MessageType(
        "endpoint.test",
        "somebody tests this endpoint",
        data.EndpointTestData,
        examples.make_test,
        filterable=False,
    ),
    MessageType(
        "endpoint.failing",
        "every attempt to send to an endpoint has failed for about half an hour, and one message "
        "has failed four times",
        operational.EndpointFailingData,
        operational.make_failing,
    ),
    MessageType(
        "endpoint.disabled",
        "calfeed has disabled an endpoint",
        operational.EndpointDisabledData,
        operational.make_disabled,
    ),
    MessageType(
        "endpoint.recovered",
        "an endpoint that was reported as failing receives again, or a disabled one was resumed",
        operational.EndpointRecoveredData,
        operational.make_recovered,
    ),
    MessageType(
        "delivery.failed",
        "a delivery was given up after its last attempt",
        operational.DeliveryFailedData,
        operational.make_given_up,
    ),
    MessageType(
        "publish.refused",
        "the definitions were not published, by `serve` or `calfeed publish`: they have problems, "
        "or too much would be withdrawn",
        operational.PublishRefusedData,
        operational.make_refused,
    ),
    MessageType(
        "reminder.missed",
        "reminders were found too late, and are not sent",
        operational.ReminderMissedData,
        operational.make_missed,
    ),
    MessageType(
        "worker.silent",
        "a worker has ended without removing its heartbeat, or has written none for 45 seconds",
        operational.WorkerSilentData,
        operational.make_silent,
    ),
    MessageType(
        "certificate.expiring",
        "the TLS certificate of an endpoint's receiver expires within 14 days, as seen when a "
        "message was sent",
        operational.CertificateExpiringData,
        operational.make_expiring,
    ),
)

TYPES: Mapping[str, MessageType] = {each.name: each for each in _LISTED}
"""Every type by its name, in the order of the docs."""

MESSAGE_TYPES = tuple(
    each.name for each in _LISTED if each.filterable and each.name not in OPERATIONAL_TYPES
)
"""The types that a filter can name. A filter that names no type matches all of these."""

FILTER_TYPES = (*MESSAGE_TYPES, *OPERATIONAL_TYPES, OPERATIONAL)
"""All that the list `types` of a filter may contain."""
