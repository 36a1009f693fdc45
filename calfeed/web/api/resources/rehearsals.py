"""Rehearsals: the reminders of any window, sent now to one endpoint, apart from the real ones."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from pydantic import Field

from calfeed.delivery.views import describe_delivery
from calfeed.services import rehearsals as service
from calfeed.services.rehearsals import MAX_REMINDERS
from calfeed.store.database import Connection, Transactions
from calfeed.store.outbox import deliveries
from calfeed.store.outbox.rehearsals import Rehearsal as Kept
from calfeed.store.outbox.rehearsals import find_rehearsal
from calfeed.web.api.fields import Id, Window
from calfeed.web.api.models import View
from calfeed.web.api.operations import Call, Given, Operations, Path, as_example
from calfeed.web.api.resources.deliveries import Delivery

operations = Operations()


class RehearsalGiven(Given, Window):
    """What to rehearse: what is due in a window, and the endpoint that gets it."""

    model_config = as_example(**{"endpoint": "{endpoint}", "from": "{from}", "to": "{to}"})

    endpoint: Id


class Rehearsal(View):
    """A rehearsal, with what came of each of its deliveries so far."""

    id: str
    endpoint: str
    at: datetime
    begin: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    deliveries: list[Delivery]


class RehearsalPath(Path):
    """The id of a rehearsal."""

    rehearsal: Id


@operations.add("POST", "/rehearsals", scope="rehearse", status=HTTPStatus.CREATED, once=True)
def make_rehearsal(call: Call, body: RehearsalGiven, database: Transactions) -> Rehearsal:
    """Send an active endpoint the reminders of a window now, marked as a rehearsal.

    It gets those that it wants, under ids of this rehearsal; real reminders are not touched.
    """
    window = (body.begin, body.end)
    made = service.make_rehearsal(database, call.backend.base_url, body.endpoint, window, call.now)
    with database.read() as connection:
        return _show(connection, made)


@operations.add("GET", "/rehearsals/{rehearsal}", scope="rehearse")
def show_rehearsal(call: Call, path: RehearsalPath, connection: Connection) -> Rehearsal:
    """Show a rehearsal, and what came of it so far."""
    return _show(connection, find_rehearsal(connection, path.rehearsal))


def _show(connection: Connection, one: Kept) -> Rehearsal:
    rows = deliveries.list_deliveries(connection, ids=one.deliveries, limit=MAX_REMINDERS)
    return Rehearsal(
        id=one.id,
        endpoint=one.endpoint_id,
        at=one.at,
        begin=one.begins,
        end=one.ends,
        deliveries=[Delivery.model_validate(describe_delivery(row)) for row in reversed(rows)],
    )
