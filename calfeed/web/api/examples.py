"""The examples of the OpenAPI document: each can be sent as it stands, from the API's page too.

An example of a body says in braces what hangs on the site or the day: `{"endpoint": "{endpoint}"}`.
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
}
"""What a site may have; where it has none of that name, the answer is 404."""

_WINDOW = timedelta(days=30)


def list_values(snapshot: Snapshot, today: date) -> dict[str, str | int]:
    """What stands for a name in braces: a public calendar, one of its events, the coming days."""
    events = (
        (slug, event)
        for slug, one in sorted(snapshot.calendars.items())
        for event, row in sorted(one.by_slug.items())
        if not row.revision.withdrawn
    )
    calendar, event = next(events, ("un-observances", "un-day"))
    window = {"from": f"{today}", "to": f"{today + _WINDOW}"}
    return {**_IDS, "calendar": calendar, "event": event, **window}


def fill_in(document: Mapping[str, Any], values: Mapping[str, str | int]) -> dict[str, Any]:
    """A document whose required parameters and bodies have their examples."""
    paths = {
        path: {method: _fill_in(each, values) for method, each in described.items()}
        for path, described in document["paths"].items()
    }
    return {**document, "paths": paths}


def _fill_in(operation: Mapping[str, Any], values: Mapping[str, str | int]) -> dict[str, Any]:
    parameters = [
        {**each, "example": values[each["name"]]} if each["required"] else each
        for each in operation["parameters"]
    ]
    if "requestBody" not in operation:
        return {**operation, "parameters": parameters}
    body = operation["requestBody"]
    media = body["content"]["application/json"]
    example = {
        key: values.get(one[1:-1], one) if isinstance(one, str) else one
        for key, one in media["example"].items()
    }
    content = {"application/json": {**media, "example": example}}
    return {**operation, "parameters": parameters, "requestBody": {**body, "content": content}}
