"""The messages in the forms of OpenAPI 3.1 (`webhooks`) and AsyncAPI 3.0."""

from __future__ import annotations

from typing import Any

from calfeed.reminders.contract.registry import TYPES
from calfeed.reminders.contract.schemas import class_name, make_definitions, show_example

_HEADERS = {
    "webhook-id": "The message's id: the same for every attempt and every endpoint.",
    "webhook-timestamp": "When this attempt was made, in seconds since 1970 (UTC).",
    "webhook-signature": "One or more signatures, separated by spaces: `v1,` or, if the "
    "endpoint has a public key, `v1a,`, and base64.",
    "traceparent": "The trace of the message and the span of this attempt (W3C Trace Context). It "
    "is not signed.",
}
_REQUIRED = [name for name in _HEADERS if name != "traceparent"]

_RESPONSES = {
    "2XX": "The message is delivered.",
    "410": "The endpoint is disabled, and gets nothing more until it is resumed.",
    "429": "The message is sent again, not before the `Retry-After`.",
    "default": "The message is sent again.",
}

_ABOUT = """\
Signed messages (Standard Webhooks) about key dates. The server is the receiver: each message is a
POST to the URL of an endpoint. Respond with a 2xx to unknown types, and ignore unknown keys: more
may be added.
"""


def describe_webhooks(schema_reference: str) -> dict[str, Any]:
    """Return the `webhooks` of an OpenAPI document, by type of message.

    `schema_reference` refers to the schema of a message, with `{model}` for its class name.
    """
    return {
        name: {
            "post": {
                "operationId": f"receive{class_name(name)}",
                "tags": ["webhooks"],
                "summary": f"Sent when {listed.sent_when}",
                "security": [],
                "parameters": [
                    {
                        "name": header,
                        "in": "header",
                        "required": header in _REQUIRED,
                        "description": description,
                        "schema": {"type": "string"},
                    }
                    for header, description in _HEADERS.items()
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {"$ref": schema_reference.format(model=class_name(name))},
                            "example": show_example(name),
                        }
                    },
                },
                "responses": {
                    status: {"description": meaning} for status, meaning in _RESPONSES.items()
                },
            }
        }
        for name, listed in TYPES.items()
    }


def make_asyncapi(title: str, version: str) -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of the messages; `title` is the name of the site."""
    schemas = make_definitions(TYPES, "#/components/schemas/{model}")
    headers = {
        "type": "object",
        "properties": {
            name: {"type": "string", "description": meaning} for name, meaning in _HEADERS.items()
        },
        "required": _REQUIRED,
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version, "description": _ABOUT},
        "defaultContentType": "application/json",
        "channels": {
            "endpoint": {
                "address": None,
                "description": "The URL of an endpoint, which its receiver chooses.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in TYPES},
            }
        },
        "operations": {
            "sendMessage": {
                "action": "send",
                "channel": {"$ref": "#/channels/endpoint"},
                "summary": "Sends each message at least once",
                "messages": [{"$ref": f"#/channels/endpoint/messages/{name}"} for name in TYPES],
                "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
            }
        },
        "components": {
            "messages": {
                name: {
                    "name": name,
                    "summary": f"Sent when {listed.sent_when}",
                    "headers": {"$ref": "#/components/schemas/Headers"},
                    "payload": {"$ref": f"#/components/schemas/{class_name(name)}"},
                    "examples": [{"payload": show_example(name)}],
                }
                for name, listed in TYPES.items()
            },
            "schemas": {"Headers": headers, **schemas},
        },
    }
