"""W3C Trace Context: the trace that each attempt of a webhook belongs to.

The ids are made from those of the message, the delivery and the attempt, so that nothing is stored.
A receiver that traces its requests finds all attempts of a message, including failed ones, in one
trace, and finds the trace by the message's id.
"""

from __future__ import annotations

from hashlib import sha256


def trace_id_of(message_id: str) -> str:
    """The trace of a message: 32 hexadecimal digits, those of its id."""
    return message_id.removeprefix("msg_")


def span_id_of(delivery_id: int, attempt: int) -> str:
    """The span of one attempt of a delivery, counted from 1: 16 hexadecimal digits."""
    return sha256(b"calfeed span %d/%d" % (delivery_id, attempt)).hexdigest()[:16]


def make_traceparent(message_id: str, delivery_id: int, attempt: int) -> str:
    """The header `traceparent` of an attempt, counted from 1.

    It is marked as sampled: receivers that let the sender decide would otherwise trace nothing
    (W3C Trace Context, 3.2).
    """
    return f"00-{trace_id_of(message_id)}-{span_id_of(delivery_id, attempt)}-01"
