"""Explain why an SMTP server did not accept a mail (RFC 5321, RFC 3463), without any address.

It is the receiver's fault (`Fault.RECEIVER`) if there is no such mailbox, or if the server does not
support the letters of the address. It is the fault of this site or its mail server (`Fault.SITE`)
if no connection can be opened, if the server refuses the connection or the login or requires a
login (530, 535), or if it permanently refuses the sender. Otherwise the fault is None: the mail is
tried again on the retry schedule, and nobody is paused. Examples are a connection that breaks, a
temporary reply after the login, and a permanent refusal of the recipient because of a policy or of
the mail because of its content or size.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from dataclasses import dataclass

from calfeed.model.texts import shortened
from calfeed.reminders.retry import Fault

_MAX_REPLY = 300

_ENHANCED = re.compile(r"\s*([245])\.([0-9]{1,3})\.([0-9]{1,3})\b")
_NO_MAILBOX = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}
"""Enhanced status codes (RFC 3463, RFC 7505) that mean that there is no such mailbox.

In this order: no such mailbox; no such domain; not a valid address; the mailbox has moved; the
domain accepts no mail; the mailbox is disabled.
"""

_NO_MAILBOX_CODES = {550, 551, 553}
"""Reply codes (RFC 5321) that mean the same if the reply has no enhanced status code."""

_ADDRESS = re.compile(r"<[^<>\s]*>|[^\s<>()\[\]\"',;:]+@[^\s<>()\[\]\"',;:]+")


class Stage:
    """The stage of a session at which something failed."""

    OPEN, SENDER, RECIPIENT, CONTENT = range(4)


@dataclass(eq=False)
class MailError(Exception):
    """A mail was not accepted.

    `status` is the code of the server's reply, None without a reply. `response` is the text of the
    reply, without addresses. `error` describes the problem for people. `fault` says whose fault it
    is; None if it is neither the receiver's nor the site's. `lost` means that the connection ended.
    """

    status: int | None
    error: str
    response: str = ""
    fault: Fault | None = None
    lost: bool = False


def scrub(text: str, *secrets: str) -> str:
    """Remove from a text all addresses, and the local parts of the addresses in `secrets`."""
    clean = _ADDRESS.sub("…", " ".join(text.replace("\0", " ").split()))
    for address in secrets:
        local = address.rpartition("@")[0]
        for part in (address, local):
            if part:
                clean = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "…", clean, flags=re.IGNORECASE)
    return shortened(clean, _MAX_REPLY)


def explain_reply(code: int, reply: bytes | str, stage: int, *addresses: str) -> MailError:
    """Return the error for a reply that refuses something at a stage of the session.

    `addresses` are the sender and the recipient, which are removed from the reply.
    """
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    clean = scrub(text, *addresses)
    fault = _judge(code, text, stage)
    what = {
        Stage.OPEN: "the mail server refuses the connection or the login",
        Stage.SENDER: "the mail server refuses the sender",
        Stage.RECIPIENT: "the mail server refuses the address",
        Stage.CONTENT: "the mail server refuses the mail",
    }[stage]
    if fault is Fault.RECEIVER:
        what = "there is no such mailbox"
    elif 400 <= code < 500:
        what = "the mail server does not take the mail now"
    return MailError(code, f"{what}: {code} {clean}".rstrip(": "), clean, fault, lost=code == 421)


def explain_error(error: Exception, stage: int, *addresses: str) -> MailError:
    """Return the error for an exception that was raised in a session at a stage.

    The exception's own text is not used, because it may quote an address. A reply of the server is
    used without the addresses in it.
    """
    match error:
        case MailError():
            return error
        case smtplib.SMTPRecipientsRefused():
            ((code, reply),) = error.recipients.values()
            return explain_reply(code, reply, Stage.RECIPIENT, *addresses)
        case smtplib.SMTPServerDisconnected() | smtplib.SMTPConnectError(smtp_code=-1):
            return _lost("the mail server closed the connection", stage)
        case smtplib.SMTPSenderRefused():
            return explain_reply(error.smtp_code, error.smtp_error, Stage.SENDER, *addresses)
        case smtplib.SMTPDataError():
            return explain_reply(error.smtp_code, error.smtp_error, Stage.CONTENT, *addresses)
        case smtplib.SMTPResponseException():
            return explain_reply(error.smtp_code, error.smtp_error, stage, *addresses)
        case smtplib.SMTPNotSupportedError() if stage == Stage.OPEN:
            return MailError(None, "the mail server offers no such login or TLS", fault=Fault.SITE)
        case smtplib.SMTPNotSupportedError():
            text = "the mail server takes no address with letters outside ASCII"
            return MailError(None, text, fault=Fault.RECEIVER)
        case ssl.SSLCertVerificationError():
            text = f"the mail server's certificate is not trusted ({error.verify_message})"
            return MailError(None, text, fault=Fault.SITE, lost=True)
        case socket.gaierror():
            return _lost("the mail server's name cannot be resolved", stage)
        case ConnectionRefusedError():
            return _lost("nothing accepts connections at the mail server's port", stage)
        case TimeoutError():
            return _lost("the mail server did not reply in time", stage)
        case ssl.SSLError():
            return _lost("no TLS connection to the mail server", stage)
        case OSError():
            return _lost(f"no connection to the mail server ({type(error).__name__})", stage)
    return MailError(None, f"the mail cannot be sent ({type(error).__name__})", lost=True)


def _lost(text: str, stage: int) -> MailError:
    return MailError(None, text, fault=Fault.SITE if stage == Stage.OPEN else None, lost=True)


def _judge(code: int, text: str, stage: int) -> Fault | None:
    too_large = code == 552  # the server refuses the mail, not the sender
    refuses_sender = stage == Stage.SENDER and code >= 500 and not too_large
    if stage == Stage.OPEN or refuses_sender or code in (530, 535):
        return Fault.SITE
    if stage != Stage.RECIPIENT or code < 500:
        return None
    enhanced = _ENHANCED.match(text)
    if enhanced:
        return Fault.RECEIVER if ".".join(enhanced.groups()) in _NO_MAILBOX else None
    return Fault.RECEIVER if code in _NO_MAILBOX_CODES else None
