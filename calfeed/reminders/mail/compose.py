"""Compose a mail: MIME parts and headers (RFC 5322, 2369, 8058, 6047)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import (
    Address,
    HeaderRegistry,
    UniqueSingleAddressHeader,
    UniqueUnstructuredHeader,
    UnstructuredHeader,
)
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, formataddr

from calfeed.model.texts import shortened
from calfeed.reminders.mail.content import Content, Footer
from calfeed.reminders.mail.entry import CalendarPart
from calfeed.reminders.mail.html import write_html
from calfeed.reminders.mail.text import write_text

_MAX_SUBJECT = 150
_MAX_NAME = 100


class _VerbatimHeader(UnstructuredHeader):
    """A header whose value stays on one line, because a folded or encoded URL would be invalid."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]  # BaseHeader's


class _SubjectHeader(UniqueUnstructuredHeader):
    """The header Subject. Spaces in it survive the encoding; the library's class loses some."""

    def fold(self, *, policy: Policy) -> str:
        return f"Subject: {_encode_words(str(self), 'Subject', policy)}{policy.linesep}"


class _SenderHeader(UniqueSingleAddressHeader):
    """The header From. If the name is not ASCII, the spaces in it survive the encoding."""

    def fold(self, *, policy: Policy) -> str:
        sender = self.address
        written = formataddr((sender.display_name, sender.addr_spec))
        if not sender.display_name.isascii():
            name = _encode_words(sender.display_name, "From", policy)
            written = f"{name}{policy.linesep} <{sender.addr_spec}>"
        return f"From: {written}{policy.linesep}"


def _encode_words(text: str, header: str, policy: Policy) -> str:
    """Encode a header's text as far as needed, folded (RFC 2047)."""
    charset = None if text.isascii() else "utf-8"
    return Header(text, charset, header_name=header).encode(linesep=policy.linesep)


# The registry adds BaseHeader to the classes itself, which its type annotations do not express.
_HEADERS = HeaderRegistry()
for _name in ("List-Unsubscribe", "List-Id"):
    _HEADERS.map_to_type(_name.lower(), _VerbatimHeader)  # type: ignore[arg-type]  # mixed in
_HEADERS.map_to_type("subject", _SubjectHeader)  # type: ignore[arg-type]  # as above
_HEADERS.map_to_type("from", _SenderHeader)  # type: ignore[arg-type]  # as above

# Without 8-bit parts, servers need not support 8BITMIME.
_POLICY = SMTP.clone(cte_type="7bit", header_factory=_HEADERS)

_ENTRY_FILE = "event.ics"


@dataclass(frozen=True)
class Sender:
    """The sender of mails: an address, and a name for people."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True)
class Envelope:
    """The headers of one mail: `to` is the reader's address, `leave` the URL for unsubscribing."""

    sender: Sender
    to: str
    message_id: str
    date: datetime
    list_id: str
    leave: str | None = None

    def __repr__(self) -> str:
        return f"Envelope({self.message_id!r})"


def compose(
    content: Content,
    footer: Footer,
    language: str,
    envelope: Envelope,
    entry: CalendarPart | None = None,
) -> bytes:
    """Compose a mail as bytes with CRLF.

    A mail with an entry is mixed{alternative{text, HTML, calendar}, attachment}, because Evolution
    does not show an attached entry as an invitation, and other apps show only an attached one.
    """
    # An address with letters outside ASCII is written in UTF-8 (RFC 6532).
    mail = EmailMessage(policy=_POLICY if envelope.to.isascii() else _POLICY.clone(utf8=True))
    _put_headers(mail, content, language, envelope)
    mail.set_content(write_text(content, footer, language))
    mail.add_alternative(write_html(content, footer, language), subtype="html")
    if entry is not None:
        text = entry.content.decode()
        # The method in the header has to be that of the calendar (RFC 6047, 2.4).
        mail.add_alternative(
            text, subtype="calendar", cte="base64", params={"method": entry.method}
        )
        mail.add_attachment(
            entry.content, maintype="application", subtype="ics", filename=_ENTRY_FILE
        )
    mail["Content-Language"] = language
    _set_boundaries(mail, envelope.message_id)
    for part in list(mail.walk())[1:]:
        del part["MIME-Version"]
    return mail.as_bytes()


def _put_headers(mail: EmailMessage, content: Content, language: str, envelope: Envelope) -> None:
    sender = envelope.sender
    name = shortened(sender.name, _MAX_NAME)
    mail["From"] = Address(display_name=name, addr_spec=sender.address)
    # In two parts, because `Address` rejects a whole address with letters outside ASCII.
    local, _, domain = envelope.to.rpartition("@")
    mail["To"] = Address(username=local, domain=domain)
    mail["Subject"] = shortened(" ".join(content.subject.split()), _MAX_SUBJECT)
    mail["Date"] = format_datetime(envelope.date)
    mail["Message-ID"] = envelope.message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail["List-Id"] = f"<{envelope.list_id}>"
    if envelope.leave is not None:
        mail["List-Unsubscribe"] = f"<{envelope.leave}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _set_boundaries(mail: EmailMessage, message_id: str) -> None:
    """Set boundaries that depend only on the message.

    All parts are encoded, so no line of a part can equal a boundary.
    """
    parts = [part for part in mail.walk() if part.is_multipart()]
    for number, part in enumerate(parts):
        part.set_boundary(f"=_{number}_{message_id[1:].partition('@')[0]}")
