"""How commands write what was told to whom: for people, and as JSON."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from calfeed.counting import count
from calfeed.delivery.transport.guard import show_url
from calfeed.model.states import DeliveryState
from calfeed.store.reports.history import Receipt, SentMessage

_TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def printable(text: str) -> str:
    """Write text of others on one line, with what would command a terminal shown as an escape."""
    return "".join(
        character.encode("unicode_escape").decode() if _commands(character) else character
        for character in text
    )


def show_time(moment: datetime) -> str:
    """Write a time (UTC) to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%SZ}"


def name_type(type_: str, *, rehearsal: bool) -> str:
    """Write a message's type, with a mark where it is one of a rehearsal."""
    return f"{type_}, rehearsal" if rehearsal else type_


def say_receipt(one: Receipt) -> str:
    """Write in a line who was told, or was not, and when."""
    received = f"received {show_time(one.received_at)}" if one.received_at else ""
    ended = f"{one.state} {show_time(one.settled_at)}" if one.settled_at else one.state
    tries = count(one.attempts, "attempt")
    if one.state is DeliveryState.DELIVERED and received:
        said = f"{received}, {tries}"
    elif one.state is DeliveryState.DIGESTED:
        said = f"{received or 'not received yet'}, in digest {one.digest}, {tries}"
    elif one.state is DeliveryState.PENDING:
        said = f"not received yet, {tries}, the next {show_time(one.next_at)}"
    elif one.state is DeliveryState.GATHERED:
        said = f"gathered for the digest of {show_time(one.next_at)}"
    elif one.state is DeliveryState.HELD:
        said = f"held until the endpoint is resumed, {tries}"
    else:
        said = ", ".join([ended, tries, *([received] if received else [])])
    receiver = show_url(one.url) if one.url else one.description
    return f"{one.endpoint_id} {receiver}".rstrip() + f": {said} (delivery {one.delivery_id})"


def say_receipts(told: SentMessage) -> list[str]:
    """Write a line for each endpoint that a message is for."""
    lines = [say_receipt(one) for one in told.receipts]
    if not told.complete:
        return [*lines, "and further endpoints, whose deliveries are being made"]
    return lines or ["to nobody: no endpoint wanted it"]


def _commands(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in _TURNS
    )
