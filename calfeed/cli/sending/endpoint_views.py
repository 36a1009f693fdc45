"""Format endpoints for people. Header values and present secrets are left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from calfeed.cli.sending.endpoint_options import FILTERS
from calfeed.delivery.transport.guard import show_url
from calfeed.delivery.views import former_secret_until
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.reminders.filters import Filters
from calfeed.store.endpoints.records import Endpoint


def show(endpoint: Endpoint, now: datetime, counts: Mapping[DeliveryState, int]) -> list[str]:
    """Return the lines about an endpoint; `counts` are the numbers of its deliveries by state."""
    since = _time(endpoint.since or endpoint.created)
    lines = [f"endpoint {endpoint.id} is {endpoint.state} since {since}"]
    if endpoint.reason:
        lines.append(_line("because", endpoint.reason))
    if endpoint.failing_since is not None:
        lines.append(_line("failing", f"every attempt since {_time(endpoint.failing_since)}"))
    if endpoint.lost is not None:
        lines.append(_line("lost", f"its URL, headers and secret: {endpoint.lost}"))
    else:
        lines.append(_line("receiver", show_url(endpoint.url)))
    if endpoint.description:
        lines.append(_line("whose", endpoint.description))
    lines.append(_line("gets", wants(endpoint.filters)))
    lines += [_line(name, text) for name, text in endpoint.options.describe()]
    if endpoint.headers:
        lines.append(_line("headers", f"{', '.join(endpoint.headers)} (values are not shown)"))
    if endpoint.public_key is not None:
        lines.append(_line("key", endpoint.public_key))
    former = former_secret_until(endpoint, now)
    if former is not None:
        lines.append(_line("secret", f"new; the former one also signs until {_time(former)}"))
    states = [f"{counts[state]} {state}" for state in DeliveryState if state in counts]
    lines.append(_line("deliveries", ", ".join(states) or "none yet"))
    return lines


def show_receiver_key(endpoint: Endpoint) -> list[str]:
    """Return the lines about what the receiver of a new or rotated endpoint needs.

    This is the secret or, with Ed25519, the public key.
    """
    if endpoint.public_key is not None:
        return [
            f"key      {endpoint.public_key}",
            "The receiver verifies messages with this public key, with which nobody can sign.",
        ]
    return [
        f"secret   {endpoint.secret}",
        "The secret is not shown again. The receiver verifies messages with it.",
    ]


def show_state(endpoint: Endpoint) -> str:
    """An endpoint's state for a table."""
    if endpoint.lost is not None:
        return "lost"
    if endpoint.state is EndpointState.ACTIVE and endpoint.failing_since is not None:
        return f"failing since {endpoint.failing_since:%Y-%m-%d %H:%M}"
    return endpoint.state


def wants(filters: Filters) -> str:
    """The messages that an endpoint gets, in a few words."""
    parts = [
        f"{kind} {' or '.join(getattr(filters, name))}"
        for kind, name in FILTERS.items()
        if getattr(filters, name)
    ]
    if filters.public_only:
        parts.append("only public calendars")
    return ", ".join(parts) or "everything"


def _line(name: str, text: str) -> str:
    return f"{name:<10}  {text}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
