"""What the replies of an SMTP server mean (RFC 5321, RFC 3463), without the addresses they quote.

Only the reply that there is no such mailbox is a fault of the receiver. Refusals because of a
policy, the sender or the content are faults of the site; people are not paused because of them.
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
"""No such mailbox, domain or address; moved; no mail accepted by the domain; disabled."""

_NO_MAILBOX_CODES = {550, 551, 553}
"""The same for a server without enhanced codes."""

_ADDRESS = re.compile(r"<[^<>\s]*>|[^\s<>()\[\]\"',;:]+@[^\s<>()\[\]\"',;:]+")


class Stage:
    """The stage of a session at which something failed."""

    OPEN, SENDER, RECIPIENT, CONTENT = range(4)


@dataclass(eq=False)
class MailError(Exception):
    """A mail was not accepted: the server's code, its reply without addresses, whose fault it is.

    `lost` means that the connection ended.
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
    """Return the error for a refusal."""
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
    """Return the error for an exception of a session, by its type.

    The exception's text may quote an address.
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
    too_large = code == 552  # the mail, not the sender
    refuses_sender = stage == Stage.SENDER and code >= 500 and not too_large
    if stage == Stage.OPEN or refuses_sender or code in (530, 535):
        return Fault.SITE
    if stage != Stage.RECIPIENT or code < 500:
        return None
    enhanced = _ENHANCED.match(text)
    if enhanced:
        return Fault.RECEIVER if ".".join(enhanced.groups()) in _NO_MAILBOX else None
    return Fault.RECEIVER if code in _NO_MAILBOX_CODES else None
