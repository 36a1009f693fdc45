"""Operations on the types of messages: what they mean, and their JSON Schemas."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, RootModel

from calfeed.errors import NotFoundError
from calfeed.reminders.contract.registry import TYPES
from calfeed.reminders.contract.schemas import (
    make_message_schema,
    make_messages_schema,
    show_example,
)
from calfeed.web.api.models import View
from calfeed.web.api.operations import Call, Operations, Path

operations = Operations()

_ADDRESS = "{base_url}/api/v1/message-types/{name}schema.json"


class MessageType(View):
    """A type of message."""

    type: str
    sent_when: str = Field(description='Completes the sentence "It is sent when …".')
    filterable: bool = Field(description="Whether a filter can name it.")
    json_schema: str = Field(alias="schema", description="The URL of its JSON Schema.")
    example: dict[str, Any]


class MessageTypes(View):
    """All types of messages."""

    items: list[MessageType]
    json_schema: str = Field(alias="schema", description="The URL of a JSON Schema of all types.")


class Schema(RootModel[dict[str, Any]]):
    """A JSON Schema (2020-12)."""


class MessageTypePath(Path):
    """A type of message."""

    type: Annotated[str, Field(pattern=r"^[a-z_.]{1,64}$", description="Such as event.moved.")]


@operations.add("GET", "/message-types")
def list_message_types(call: Call) -> MessageTypes:
    """List the types of messages that endpoints get, each with an example."""
    items = [
        MessageType(
            type=name,
            sent_when=listed.sent_when,
            filterable=listed.filterable,
            json_schema=_address(call, f"{name}/"),
            example=show_example(name),
        )
        for name, listed in TYPES.items()
    ]
    return MessageTypes(items=items, json_schema=_address(call, ""))


@operations.add("GET", "/message-types/schema.json")
def show_schema_of_messages(call: Call) -> Schema:
    """Show the JSON Schema of all messages, to generate code from."""
    return Schema({"$id": _address(call, ""), **make_messages_schema()})


@operations.add("GET", "/message-types/{type}/schema.json")
def show_schema_of_type(call: Call, path: MessageTypePath) -> Schema:
    """Show the JSON Schema of the messages of one type."""
    if path.type not in TYPES:
        raise NotFoundError("message type", path.type)
    return Schema({"$id": _address(call, f"{path.type}/"), **make_message_schema(path.type)})


def _address(call: Call, name: str) -> str:
    return _ADDRESS.format(base_url=call.context.base_url, name=name)
