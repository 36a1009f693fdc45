"""Process bounces: a single mail, or the mails of a mailbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from calfeed.delivery.mail.bounces.mailbox import Mailbox, MailboxPoller
from calfeed.delivery.mail.bounces.returned import Verdict, take_returned
from calfeed.delivery.mail.configuration import MailSettings, read_mail_settings
from calfeed.errors import SettingsError
from calfeed.settings import Settings
from calfeed.store.database import Database


def require_mail_settings(settings: Settings) -> MailSettings:
    """Read the settings of mail. Raises SettingsError if mails are not set up."""
    mail = read_mail_settings(settings)
    if mail is None:
        raise SettingsError(
            "mails are not set up: set CALFEED_MAIL_URL to the SMTP server, and CALFEED_MAIL_FROM "
            "to the sender's address"
        )
    return mail


def take_bounce(database: Database, settings: Settings, content: bytes, now: datetime) -> Verdict:
    """Process a mail to the bounce address, and return what kind of mail it was.

    Raises SettingsError if mails are not set up, or if flufl.bounce is not installed.
    """
    return take_returned(database, content, require_mail_settings(settings).bounces, now)


@contextmanager
def poll_bounces(
    database: Database, settings: Settings, clock: Callable[[], datetime]
) -> Iterator[None]:
    """Read the mailbox of bounces every few minutes during the `with` block, if one is set."""
    mail = read_mail_settings(settings)
    if mail is None or mail.mailbox is None:
        yield
        return
    bounces = mail.bounces

    def take(content: bytes) -> bool:
        return take_returned(database, content, bounces, clock()) is not Verdict.OTHER

    with MailboxPoller(Mailbox(mail.mailbox, take), mail.mailbox):
        yield
