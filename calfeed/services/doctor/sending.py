"""The ways to send messages: endpoints, the mail server, the mailbox of bounces, channels, push."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator
from importlib.util import find_spec

from calfeed.counting import count
from calfeed.delivery.mail.bounces.mailbox import check_mailbox
from calfeed.delivery.mail.configuration import read_mail_settings
from calfeed.delivery.mail.replies import MailError
from calfeed.delivery.mail.server import Connection
from calfeed.delivery.senders import read_channels_file
from calfeed.model.states import EndpointState
from calfeed.services.doctor.findings import Finding, ok, problem, warning
from calfeed.settings import Settings
from calfeed.store.reports.database_condition import Condition

_ENDPOINTS = "endpoints"
_MAIL, _BOUNCES, _CHANNELS, _PUSH = "mail", "bounces", "channels", "push"

_MAX_SHOWN = 3

_TIMEOUT_SECONDS = 4.0


def check_endpoints(condition: Condition | None) -> Iterator[Finding]:
    """Judge endpoints by what is recorded about them. Nothing is sent."""
    if condition is None or not condition.is_current:
        return
    disabled = [one for one in condition.unwell if one.state is EndpointState.DISABLED]
    failing = [one for one in condition.unwell if one.state is not EndpointState.DISABLED]
    if disabled:
        shown = ", ".join(f"{one.id} ({one.reason})" for one in disabled[:_MAX_SHOWN])
        yield problem(
            _ENDPOINTS,
            f"{count(len(disabled), 'endpoint')} disabled: {shown}",
            "`calfeed endpoint resume` sends what they missed; or run `calfeed endpoint remove`",
        )
    if failing:
        shown = ", ".join(
            f"{one.id} (since {one.failing_since:%Y-%m-%d %H:%M} UTC)"
            for one in failing[:_MAX_SHOWN]
        )
        yield warning(
            _ENDPOINTS,
            f"{count(len(failing), 'endpoint')} failing: {shown}",
            "`calfeed endpoint show` shows the last attempts; calfeed keeps retrying deliveries",
        )
    if not condition.unwell:
        yield ok(_ENDPOINTS, "none is disabled or failing")


def check_mail(settings: Settings) -> Iterator[Finding]:
    """Log in to the mail server, without sending a mail. Changes no file's mode."""
    mail = read_mail_settings(settings)
    if mail is None:
        yield ok(_MAIL, "is off: CALFEED_MAIL_URL is not set")
        return
    mail.make_signer(protect=False)
    connection = Connection(mail.server, _TIMEOUT_SECONDS)
    try:
        connection.open()
    except MailError as failure:
        yield problem(_MAIL, f"{mail.server}: {failure.error}", "look at CALFEED_MAIL_URL")
        return
    finally:
        connection.close()
    login = "takes the login" if mail.server.user else "answers, without a login"
    text = f"{mail.server} {login}"
    if mail.server.tls:
        signed = "signed" if mail.dkim_key else "not signed (CALFEED_MAIL_DKIM_KEY)"
        yield ok(_MAIL, f"{text} over TLS; mails are {signed}")
    else:
        yield warning(
            _MAIL, f"{text}, without TLS", "leave tls=none out, unless the network is trusted"
        )


def check_bounces(settings: Settings) -> Iterator[Finding]:
    """Log in to the mailbox of bounces, and change nothing."""
    if settings.mail_bounces_url is None:
        return
    mail = read_mail_settings(settings)
    if mail is None or mail.mailbox is None:
        return
    try:
        check_mailbox(mail.mailbox, _TIMEOUT_SECONDS)
    except (OSError, imaplib.IMAP4.error) as error:
        # Only the error's type: its text can quote the login.
        yield problem(
            _BOUNCES,
            f"the mailbox at {mail.mailbox} cannot be read ({type(error).__name__})",
            "look at CALFEED_MAIL_BOUNCES_URL",
        )
    else:
        yield ok(_BOUNCES, f"the mailbox at {mail.mailbox} can be read")


def check_channels(settings: Settings) -> Iterator[Finding]:
    """Read the channels file. Nothing is sent."""
    if settings.channels is None:
        yield ok(_CHANNELS, "there are none: CALFEED_CHANNELS is not set")
        return
    channels = read_channels_file(settings, settings.channels)
    yield ok(_CHANNELS, f"{settings.channels} has {count(len(channels), 'channel')}")


def check_push(settings: Settings) -> Iterator[Finding]:
    """Check that the settings and libraries for pushing to browsers are there."""
    if settings.push_contact is None:
        yield ok(_PUSH, "is off: CALFEED_PUSH_CONTACT is not set")
        return
    missing = [name for name in ("http_ece", "py_vapid") if find_spec(name) is None]
    if missing:
        yield problem(
            _PUSH,
            f"CALFEED_PUSH_CONTACT is set, but {' and '.join(missing)} is not installed",
            "run pip install 'calfeed[push]'",
        )
    elif not settings.base_url.startswith("https://"):
        yield warning(
            _PUSH,
            f"pushing to browsers requires https, and the pages are at {settings.base_url}",
            "set CALFEED_PUBLIC_URL to an https URL",
        )
    else:
        yield ok(_PUSH, "is on")
