"""The contract with receivers: each type has a schema, an example, and a place in the documents."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from benchmarks.messages import make_body
from calfeed.reminders.contract.registry import MESSAGE_TYPES, TYPES
from calfeed.reminders.contract.schemas import (
    class_name,
    make_message_schema,
    make_messages_schema,
    show_example,
)
from calfeed.reminders.filters import Filters
from calfeed.reminders.messages import describe_event
from tests.contract import check_message, validator_of
from tests.ical.test_rich_events import RICH, read, revision_of


@pytest.mark.parametrize("name", TYPES)
def test_the_example_of_every_type_is_a_message_of_it_without_an_unlisted_key(name: str) -> None:
    message = TYPES[name].example()
    assert message.subject.type == name
    check_message(message.body)


def test_what_the_benchmarks_send_is_a_message() -> None:
    check_message(make_body(1))


@pytest.mark.parametrize("name", TYPES)
def test_the_schema_of_every_type_is_a_valid_one_that_allows_new_keys(name: str) -> None:
    schema = make_message_schema(name)
    jsonschema_rs.meta.validate(schema)
    example: dict[str, Any] = show_example(name)
    example["data"]["new"] = example["new"] = 1
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(example)
    with pytest.raises(jsonschema_rs.ValidationError):
        validator_of(name).validate(example)


@pytest.mark.parametrize("name", TYPES)
def test_the_schema_of_all_messages_accepts_each_as_its_own_type_alone(name: str) -> None:
    schema = make_messages_schema()
    jsonschema_rs.meta.validate(schema)
    all_types = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    all_types.validate(show_example(name))
    own = {**schema, "oneOf": [{"$ref": f"#/$defs/{class_name(name)}"}]}
    for other in TYPES:
        accepts = jsonschema_rs.Draft202012Validator(own).is_valid(show_example(other))
        assert accepts is (other == name)


def test_a_key_without_a_value_is_left_out_instead_of_null() -> None:
    body = show_example("reminder.due")
    body["data"]["event"]["location"] = None
    assert not validator_of("reminder.due").is_valid(body)


def test_an_event_with_every_detail_is_described() -> None:
    body = show_example("event.added")
    body["data"]["event"] = describe_event(revision_of(read(RICH)))
    validator_of("event.added").validate(body)


def test_a_rehearsal_is_marked_only_in_types_that_can_be_rehearsed() -> None:
    for name, listed in TYPES.items():
        marked = {**show_example(name), "rehearsal": True}
        assert validator_of(name).is_valid(marked) is listed.rehearsable


def test_a_filter_can_name_what_the_registry_says() -> None:
    for name in MESSAGE_TYPES:
        subject = TYPES[name].example().subject
        assert Filters(types=(name,)).want(subject)


def test_the_check_of_the_tests_refuses_what_no_schema_lists() -> None:
    body = show_example("endpoint.test")
    for wrong in ({**body, "type": "endpoint.unheard_of"}, {**body, "timestamp": "yesterday"}):
        with pytest.raises(AssertionError):
            check_message(json.dumps(wrong).encode())
