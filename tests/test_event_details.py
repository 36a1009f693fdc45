"""A detail of an event is named once, and reaches every form that an event has."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from calfeed.definitions.keys.calendars import EventEntry
from calfeed.importing.ics import import_calendar
from calfeed.model.events import PROPERTIES, Event
from calfeed.reminders.messages import describe_event
from calfeed.web.api import models
from tests.ical.test_rich_events import RICH, feed_of, read, revision_of

DETAILS = sorted(PROPERTIES)
EVENT = read(RICH)


def keys_of(model: type[BaseModel]) -> dict[str, str]:
    """The fields of a model, with what each is called in JSON or in a definition."""
    return {name: field.alias or name for name, field in model.model_fields.items()}


def test_every_key_of_a_definition_has_its_field_in_an_event() -> None:
    of_the_date = {"duration", "at", "roll", "embargo"}  # what they say is in the date itself
    assert set(EventEntry.model_fields) - of_the_date <= set(Event.model_fields)


@pytest.mark.parametrize("model", [EventEntry, models.Event])
@pytest.mark.parametrize("name", DETAILS)
def test_a_detail_has_one_key_in_definitions_and_in_the_api(
    name: str, model: type[BaseModel]
) -> None:
    assert keys_of(model)[name] == PROPERTIES[name].key


@pytest.mark.parametrize("name", DETAILS)
def test_a_detail_is_in_feeds_and_messages(name: str) -> None:
    property_ = PROPERTIES[name]
    assert property_ in dict(EVENT.details)
    assert f"\r\n{property_.name}" in feed_of(EVENT)
    assert property_.key in describe_event(revision_of(EVENT))


def test_an_import_of_a_feed_keeps_every_detail() -> None:
    made = import_calendar(feed_of(EVENT).encode(), "grants", "grants")
    assert dict(read(made.definition.decode()).details) == dict(EVENT.details)
