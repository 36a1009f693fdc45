"""The settings of mail, which are read together because they depend on each other."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path

from calfeed.delivery.mail.server_urls import MailServer, read_mailbox_url, read_server_url
from calfeed.errors import InvalidInputError, SettingsError
from calfeed.reminders.mail.compose import Sender
from calfeed.settings import PREFIX, Settings

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_MAX_LOCAL = 64
_TOKEN_LENGTH = 36

_DEPENDENT = (
    "mail_dkim_key",
    "mail_dkim_selector",
    "mail_bounce_address",
    "mail_bounces_url",
)
"""The settings that only mails use."""


@dataclass(frozen=True)
class MailSettings:
    """How mails are sent, and the bounce address: `*` in `bounces` stands for a token."""

    server: MailServer
    sender: Sender
    bounces: str
    rate: int
    dkim_key: Path | None = None
    dkim_selector: str = ""
    mailbox: MailServer | None = None

    def make_signer(self, *, protect: bool = True) -> Callable[[bytes], bytes]:
        """Return a function that signs mails, or leaves them as they are if there is no key.

        The key's file is made private, unless `protect` is false. Raises SettingsError if the key
        cannot be used.
        """
        if self.dkim_key is None:
            return lambda content: content
        from calfeed.delivery.mail.signing import make_signer

        return make_signer(self.dkim_key, self.dkim_selector, self.sender.domain, protect=protect)


def read_mail_settings(settings: Settings) -> MailSettings | None:
    """Read the settings of mail; None if no mail server is set.

    Raises SettingsError with every problem.
    """
    problems: list[str] = []
    if settings.mail_url is None or settings.mail_from is None:
        _check_absent(settings)
        return None
    server = sender = mailbox = None
    bounces = ""
    try:
        server = read_server_url(settings.mail_url.get_secret_value())
    except InvalidInputError as error:
        problems.append(_name("mail_url") + f": {error}")
    try:
        sender = read_sender(settings.mail_from)
        bounces = _read_bounce_address(settings.mail_bounce_address, sender)
    except InvalidInputError as error:
        problems.append(str(error))
    if settings.mail_bounces_url is not None:
        try:
            mailbox = read_mailbox_url(settings.mail_bounces_url.get_secret_value())
        except InvalidInputError as error:
            problems.append(_name("mail_bounces_url") + f": {error}")
        if find_spec("flufl") is None or find_spec("flufl.bounce") is None:
            problems.append(
                f"{_name('mail_bounces_url')} is set, but flufl.bounce, which reads bounces, is "
                "not installed; run pip install 'calfeed[mail]'"
            )
    if (settings.mail_dkim_key is None) != (settings.mail_dkim_selector is None):
        both = _name("mail_dkim_key"), _name("mail_dkim_selector")
        problems.append(f"{' and '.join(both)} need each other")
    if settings.mail_dkim_selector and not _SELECTOR.fullmatch(settings.mail_dkim_selector):
        problems.append(f"{_name('mail_dkim_selector')}: it has to be a name in the DNS")
    if problems or server is None or sender is None:
        raise SettingsError(*problems)
    return MailSettings(
        server=server,
        sender=sender,
        bounces=bounces,
        rate=settings.mail_rate,
        dkim_key=settings.mail_dkim_key,
        dkim_selector=settings.mail_dkim_selector or "",
        mailbox=mailbox,
    )


def read_sender(text: str) -> Sender:
    """Read the sender, an address with or without a name. Raises InvalidInputError."""
    name, address = parseaddr(text)
    if not _ADDRESS.fullmatch(address) or "." not in address.rpartition("@")[2]:
        raise InvalidInputError(
            _name("mail_from") + ": it has to be a mail address, such as calendar@example.org or "
            '"Key dates <calendar@example.org>"'
        )
    return Sender(address, name)


def _read_bounce_address(text: str | None, sender: Sender) -> str:
    local, _, domain = sender.address.rpartition("@")
    address = text or f"{local}+b-*@{domain}"
    fits = address.count("*") == 1 and _ADDRESS.fullmatch(address.replace("*", "x"))
    if not fits or len(address.rpartition("@")[0]) - 1 + _TOKEN_LENGTH > _MAX_LOCAL:
        raise InvalidInputError(
            _name("mail_bounce_address") + ": it has to be a mail address with one * where a token "
            "goes, and a short name before it, such as bounces+*@example.org"
        )
    return address


def _check_absent(settings: Settings) -> None:
    """Raise SettingsError if only some of the settings of mail are there."""
    given = [
        name
        for name in ("mail_url", "mail_from", *_DEPENDENT)
        if getattr(settings, name) is not None
    ]
    if given:
        missing = [name for name in ("mail_url", "mail_from") if name not in given]
        raise SettingsError(
            f"{_name(given[0])} is set, but not {' and '.join(map(_name, missing))}; "
            "mails need both the server and the sender"
        )


def _name(setting: str) -> str:
    return PREFIX + setting.upper()
