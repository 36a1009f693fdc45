"""Format deliveries for people."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from calfeed.counting import count
from calfeed.delivery.transport.guard import show_url
from calfeed.model.states import DeliveryState
from calfeed.store.reports.history import Receipt, SentMessage

_BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def printable(text: str) -> str:
    """Escape control characters in untrusted text, so that it is a single line."""
    return "".join(
        character.encode("unicode_escape").decode() if _is_control(character) else character
        for character in text
    )


def show_time(moment: datetime) -> str:
    """Format a time (UTC) to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%SZ}"


def name_type(type_: str, *, rehearsal: bool) -> str:
    """Format a message's type, with a mark for rehearsals."""
    return f"{type_}, rehearsal" if rehearsal else type_


def format_receipt(receipt: Receipt) -> str:
    """Format a receipt on one line: the receiver, whether it received the message, and when."""
    received = f"received {show_time(receipt.received_at)}" if receipt.received_at else ""
    attempts = count(receipt.attempts, "attempt")
    match receipt.state:
        case DeliveryState.DELIVERED if received:
            result = f"{received}, {attempts}"
        case DeliveryState.DIGESTED:
            result = f"{received or 'not received yet'}, in digest {receipt.digest}, {attempts}"
        case DeliveryState.PENDING:
            result = f"not received yet, {attempts}, the next {show_time(receipt.next_at)}"
        case DeliveryState.GATHERED:
            result = f"gathered for the digest of {show_time(receipt.next_at)}"
        case DeliveryState.HELD:
            result = f"held until the endpoint is resumed or polled, {attempts}"
        case state:
            ended = f"{state} {show_time(receipt.settled_at)}" if receipt.settled_at else state
            result = ", ".join([ended, attempts, *([received] if received else [])])
    receiver = show_url(receipt.url) if receipt.url else receipt.description
    name = f"{receipt.endpoint_id} {receiver}".rstrip()
    return f"{name}: {result} (delivery {receipt.delivery_id})"


def format_receipts(message: SentMessage) -> list[str]:
    """Format a line for each endpoint of a message."""
    lines = [format_receipt(receipt) for receipt in message.receipts]
    if not message.complete:
        return [*lines, "and more endpoints, whose deliveries are being created"]
    return lines or ["to nobody: it matched no endpoint's filters"]


def _is_control(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in _BIDI_CONTROLS
    )
