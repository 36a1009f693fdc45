"""The examples of the OpenAPI document, which can be sent as they are, such as from Swagger UI.

Placeholders in braces stand for values of the site or the day: `{"endpoint": "{endpoint}"}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from calfeed.web.published.snapshot import Snapshot

_IDS: Mapping[str, str | int] = {
    "endpoint": "ep_f282773a29b74c6e",
    "message": "msg_6ae064b2917010df27b0694468cdaf13",
    "rehearsal": "rh_3f2a9c1d5b7e8046",
    "delivery": 1,
    "token": 1,
    "type": "event.moved",
}
"""If a site has no object with one of these ids, a request with this example gets 404."""

_WINDOW = timedelta(days=30)


def list_values(snapshot: Snapshot, today: date) -> dict[str, str | int]:
    """Return the values of placeholders: a public calendar, one of its events, the next 30 days."""
    events = (
        (slug, event)
        for slug, found in sorted(snapshot.calendars.items())
        for event, row in sorted(found.by_slug.items())
        if not row.revision.withdrawn
    )
    calendar, event = next(events, ("un-observances", "un-day"))
    window = {"from": f"{today}", "to": f"{today + _WINDOW}"}
    return {**_IDS, "calendar": calendar, "event": event, **window}


def fill_in(document: Mapping[str, Any], values: Mapping[str, str | int]) -> dict[str, Any]:
    """Return the document with examples for required parameters and bodies."""
    paths = {
        path: {method: _fill_in(operation, values) for method, operation in described.items()}
        for path, described in document["paths"].items()
    }
    return {**document, "paths": paths}


def _fill_in(operation: Mapping[str, Any], values: Mapping[str, str | int]) -> dict[str, Any]:
    parameters = [
        {**parameter, "example": values[parameter["name"]]} if parameter["required"] else parameter
        for parameter in operation["parameters"]
    ]
    if "requestBody" not in operation:
        return {**operation, "parameters": parameters}
    body = operation["requestBody"]
    media = body["content"]["application/json"]
    example = {
        key: values.get(value[1:-1], value) if isinstance(value, str) else value
        for key, value in media["example"].items()
    }
    content = {"application/json": {**media, "example": example}}
    return {**operation, "parameters": parameters, "requestBody": {**body, "content": content}}
