"""The headers of a mail, in any script and of any length."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.reminders.mail.compose import Envelope, Sender, compose
from calfeed.reminders.mail.content import Content, Footer

URDU = "کیا آپ چاہتے ہیں کہ آپ کو ان تاریخوں کی خبر ای میل سے ملے؟ براہِ کرم تصدیق کریں"
WORDS = st.lists(st.sampled_from([*URDU.split(), "Hearing", "12", "—", "é"]), min_size=1)


def compose_headers(subject: str, name: str = "") -> Message:
    envelope = Envelope(
        Sender("dates@example.net", name),
        "reader@example.org",
        "<1@example.net>",
        datetime(2030, 1, 1, tzinfo=UTC),
        "court.example.net",
    )
    written = compose(Content(subject, "", ""), Footer(""), "ur", envelope)
    assert max(map(len, written.split(b"\r\n"))) <= 78
    return message_from_bytes(written)


def decoded(value: str) -> str:
    """A header's text by RFC 2047, and folding as RFC 5322 undoes it."""
    return str(make_header(decode_header(value.replace("\r\n", "").replace("\n", ""))))


@given(WORDS)
def test_a_subject_keeps_every_space(words: list[str]) -> None:
    """Encoded words that are joined have no space between them but their own."""
    subject = " ".join(words)[:150].strip()
    assert decoded(compose_headers(subject)["Subject"]) == subject


@pytest.mark.parametrize("name", [URDU, "Court", 'Court, "the" first', "Cour suprême"])
def test_the_senders_name_is_the_calendars(name: str) -> None:
    sender = decoded(compose_headers("s", name)["From"])
    assert sender.replace("\\", "").replace('"', "") == (
        f"{name} <dates@example.net>".replace('"', "")
    )
