"""Senders as the settings configure them: webhooks, and the channels of the channels file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calfeed.delivery.channels.sending import SCHEME, ChannelSender
from calfeed.delivery.mail.configuration import read_mail_settings
from calfeed.delivery.mail.sending import MailSender
from calfeed.delivery.transport.guard import UrlRules
from calfeed.errors import InvalidInputError, SettingsError
from calfeed.private_files import keep_private
from calfeed.settings import Settings
from calfeed.store.endpoints.records import Endpoint

if TYPE_CHECKING:
    from calfeed.delivery.channels.file import Channel


def load_channels(settings: Settings) -> Mapping[str, Channel]:
    """The channels of the channels file, by name; empty if the settings name no file.

    Raises SettingsError with every problem of the file, FilePermissionsError if other users can
    read it.
    """
    if settings.channels is None:
        return {}
    keep_private(settings.channels)
    return read_channels_file(settings, settings.channels)


def read_channels_file(settings: Settings, file: Path) -> Mapping[str, Channel]:
    """Read the channels of a file, even if other users can read it.

    Raises SettingsError as `load_channels` does.
    """
    # Importing Apprise is slow, and it is an optional dependency.
    try:
        from calfeed.delivery.channels.file import read_channels
    except ImportError as error:
        if error.name != "apprise":
            raise
        raise SettingsError(
            "CALFEED_CHANNELS is set, but Apprise, which sends to channels, is not installed; "
            "run pip install 'calfeed[channels]'"
        ) from error

    return read_channels(file, settings.https_endpoints_only)


def url_rules(settings: Settings) -> UrlRules:
    """Return the rules for the URLs of endpoints."""
    return UrlRules(settings.allow_private_endpoints, settings.https_endpoints_only)


def plain_http_warning(settings: Settings, endpoints: Iterable[Endpoint]) -> str | None:
    """Return the warning about endpoints with http URLs that the settings no longer allow.

    None if there are no such endpoints. They were added before the setting was made, and get
    messages until their URL is changed.
    """
    plain = [endpoint.id for endpoint in endpoints if endpoint.url.startswith("http:")]
    if not settings.https_endpoints_only or not plain:
        return None
    return (
        "CALFEED_HTTPS_ENDPOINTS_ONLY is set, but endpoints that were added before still have "
        f"http URLs: {', '.join(plain)}; give them https URLs, or remove them"
    )


def open_sender(settings: Settings, channels: Mapping[str, Channel]) -> ChannelSender:
    """Open a sender for webhooks, these channels, and mails if the settings have a mail server.

    Raises SettingsError if the settings of mail are not complete or valid.
    """
    options: dict[str, Any] = {
        "services": {name: channel.service for name, channel in channels.items()},
        "allow_private": settings.allow_private_endpoints,
        "egress_proxy": settings.proxy,
    }
    mail = read_mail_settings(settings)
    if mail is None:
        return ChannelSender(**options)
    return MailSender(mail.server, mail.make_signer(), **options)


def open_sender_to(settings: Settings, url: str) -> ChannelSender:
    """Open a sender for one endpoint, by its URL.

    Raises InvalidInputError for a channel that is not in the channels file.
    """
    if not url.startswith(SCHEME):
        return open_sender(settings, {})
    channels, name = load_channels(settings), url.removeprefix(SCHEME)
    if name not in channels:
        reason = (
            f"{settings.channels} does not have it"
            if settings.channels
            else "CALFEED_CHANNELS is not set"
        )
        raise InvalidInputError(f"this process cannot send to channel {name}: {reason}")
    return open_sender(settings, channels)
