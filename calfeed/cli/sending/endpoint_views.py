"""What is shown of an endpoint: everything but its secrets and the values of its headers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from calfeed.cli.sending.endpoint_options import FILTERS
from calfeed.delivery.transport.guard import show_url
from calfeed.delivery.views import signs_until
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.reminders.filters import Filters
from calfeed.reminders.option_texts import describe_options
from calfeed.store.endpoints.records import Endpoint


def show(one: Endpoint, now: datetime, counts: Mapping[DeliveryState, int]) -> list[str]:
    """An endpoint for people, in lines; `counts` is how many deliveries it has in each state."""
    lines = [f"endpoint {one.id} is {one.state} since {_time(one.since or one.created)}"]
    if one.reason:
        lines.append(_line("because", one.reason))
    if one.failing_since is not None:
        lines.append(_line("failing", f"every attempt since {_time(one.failing_since)}"))
    if one.lost is not None:
        lines.append(_line("lost", f"its URL, headers and secret: {one.lost}"))
    else:
        lines.append(_line("receiver", show_url(one.url)))
    if one.description:
        lines.append(_line("whose", one.description))
    lines.append(_line("gets", wants(one.filters)))
    lines += [_line(name, text) for name, text in describe_options(one.options)]
    if one.headers:
        lines.append(_line("headers", f"{', '.join(one.headers)} (values are not shown)"))
    former = signs_until(one, now)
    if former is not None:
        lines.append(_line("secret", f"new; the former one signs too until {_time(former)}"))
    known = [f"{counts[state]} {state}" for state in DeliveryState if state in counts]
    lines.append(_line("deliveries", ", ".join(known) or "none yet"))
    return lines


def show_state(one: Endpoint) -> str:
    """An endpoint's state in a table's cell."""
    if one.lost is not None:
        return "lost"
    if one.state is EndpointState.ACTIVE and one.failing_since is not None:
        return f"failing since {one.failing_since:%Y-%m-%d %H:%M}"
    return one.state


def wants(filters: Filters) -> str:
    """What an endpoint gets, in a few words."""
    parts = [
        f"{kind} {' or '.join(getattr(filters, name))}"
        for kind, name in FILTERS.items()
        if getattr(filters, name)
    ]
    if filters.public_only:
        parts.append("only what is public")
    return ", ".join(parts) or "everything"


def _line(name: str, text: str) -> str:
    return f"{name:<10}  {text}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
