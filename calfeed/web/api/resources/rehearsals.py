"""Operations on rehearsals: send the reminders of a window to one endpoint now."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from pydantic import Field

from calfeed.delivery.views import describe_delivery
from calfeed.services import rehearsals as service
from calfeed.services.rehearsals import MAX_REMINDERS
from calfeed.store.database import Connection, Transactions
from calfeed.store.outbox import deliveries
from calfeed.store.outbox.rehearsals import Rehearsal as RehearsalRow
from calfeed.store.outbox.rehearsals import find_rehearsal
from calfeed.web.api.fields import Id, Window
from calfeed.web.api.models import View
from calfeed.web.api.operations import Call, Operations, Path, RequestBody, as_example
from calfeed.web.api.resources.deliveries import Delivery

operations = Operations()


class RehearsalGiven(RequestBody, Window):
    """A window of reminders, and the endpoint to send them to."""

    model_config = as_example(**{"endpoint": "{endpoint}", "from": "{from}", "to": "{to}"})

    endpoint: Id


class Rehearsal(View):
    """A rehearsal with its deliveries."""

    id: str
    endpoint: str
    at: datetime
    begin: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    deliveries: list[Delivery]


class RehearsalPath(Path):
    """The id of a rehearsal."""

    rehearsal: Id


@operations.add("POST", "/rehearsals", scope="rehearse", status=HTTPStatus.CREATED, idempotent=True)
def make_rehearsal(call: Call, body: RehearsalGiven, database: Transactions) -> Rehearsal:
    """Send an active endpoint the reminders of a window now, marked as a rehearsal.

    The endpoint's filters apply. The messages have ids of their own; real reminders are unaffected.
    """
    window = (body.begin, body.end)
    rehearsal = service.make_rehearsal(
        database, call.context.base_url, body.endpoint, window, call.now
    )
    with database.read() as connection:
        return _show(connection, rehearsal)


@operations.add("GET", "/rehearsals/{rehearsal}", scope="rehearse")
def show_rehearsal(call: Call, path: RehearsalPath, connection: Connection) -> Rehearsal:
    """Show a rehearsal with its deliveries."""
    return _show(connection, find_rehearsal(connection, path.rehearsal))


def _show(connection: Connection, rehearsal: RehearsalRow) -> Rehearsal:
    rows = deliveries.list_deliveries(connection, ids=rehearsal.deliveries, limit=MAX_REMINDERS)
    return Rehearsal(
        id=rehearsal.id,
        endpoint=rehearsal.endpoint_id,
        at=rehearsal.at,
        begin=rehearsal.begins,
        end=rehearsal.ends,
        deliveries=[Delivery.model_validate(describe_delivery(row)) for row in reversed(rows)],
    )
