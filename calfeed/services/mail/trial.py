"""Send one mail, to test the settings."""

from __future__ import annotations

import secrets
from datetime import datetime

from calfeed.delivery.mail.replies import MailError
from calfeed.delivery.mail.server import Connection
from calfeed.errors import CalfeedError
from calfeed.reminders.mail.compose import Envelope, compose
from calfeed.reminders.mail.content import Footer, Wording
from calfeed.reminders.mail.greeting import describe_test
from calfeed.services.mail.bounces import require_mail_settings
from calfeed.settings import Settings


def send_test_mail(settings: Settings, address: str, wording: Wording, now: datetime) -> str:
    """Send a test mail to an address, and return the server's reply, without addresses.

    Raises SettingsError if mails are not set up, CalfeedError if the server does not accept the
    mail.
    """
    mail = require_mail_settings(settings)
    sign = mail.make_signer()
    domain = mail.sender.domain
    envelope = Envelope(
        sender=mail.sender,
        to=address,
        message_id=f"<test.{secrets.token_hex(10)}@{domain}>",
        date=now,
        list_id=f"test.{domain}",
    )
    content = sign(compose(describe_test(wording), Footer(""), wording.language, envelope))
    connection = Connection(mail.server)
    try:
        code, reply = connection.send(mail.bounces.replace("*", "test"), address, content)
    except MailError as failure:
        raise CalfeedError(f"not sent through {mail.server}: {failure.error}") from None
    finally:
        connection.close()
    return f"{code} {reply}"
