"""The strict check of messages: a body has a listed type, and no key that its schema lacks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

import jsonschema_rs

from calfeed.reminders.contract.registry import TYPES
from calfeed.reminders.contract.schemas import make_message_schema


@cache
def validator_of(name: str) -> Any:
    schema = make_message_schema(name, strict=True)
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def check_received(bodies: Iterable[bytes]) -> None:
    """Check the messages among the bodies that a receiver got; one without a type is made up."""
    for body in bodies:
        if b'"type":' in body:
            check_message(body)


def check_message(body: bytes) -> None:
    """Raise AssertionError unless a body is a message that the contract describes."""
    message = json.loads(body)
    name = message["type"]
    assert name in TYPES, f"{name} is not in the registry of message types"
    try:
        validator_of(name).validate(message)
    except jsonschema_rs.ValidationError as error:
        raise AssertionError(f"a message does not fit the schema of {name}: {error}") from error
