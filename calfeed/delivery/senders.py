"""What a process can send through, by its settings: posts to URLs, and the channels of its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from calfeed.delivery.channels.sending import SCHEME, Dispatch
from calfeed.delivery.transport.guard import UrlRules
from calfeed.errors import InvalidInputError, SettingsError
from calfeed.private_files import keep_private
from calfeed.settings import Settings
from calfeed.store.endpoints.records import Endpoint

if TYPE_CHECKING:
    from calfeed.delivery.channels.file import Channel


def load_channels(settings: Settings) -> Mapping[str, Channel]:
    """The channels of the settings' file, by name; none where there is no file.

    Raises SettingsError with everything that is wrong in it, FilePermissionsError where others can
    read it.
    """
    if settings.channels is None:
        return {}
    keep_private(settings.channels)
    # Apprise takes its time, and is needed nowhere else.
    try:
        from calfeed.delivery.channels.file import read_channels
    except ImportError as error:
        if error.name != "apprise":
            raise
        raise SettingsError(
            "CALFEED_CHANNELS is set, and Apprise, which sends to channels, is not installed; "
            "pip install 'calfeed[channels]'"
        ) from error

    return read_channels(settings.channels, settings.https_endpoints_only)


def url_rules(settings: Settings) -> UrlRules:
    """Which URLs endpoints may have."""
    return UrlRules(settings.allow_private_endpoints, settings.https_endpoints_only)


def warn_of_plain(settings: Settings, found: Iterable[Endpoint]) -> str | None:
    """Say which endpoints are reached over http though that is refused by now.

    They were added before, and get what is for them until somebody changes their URL.
    """
    plain = [one.id for one in found if one.url.startswith("http:")]
    if not settings.https_endpoints_only or not plain:
        return None
    return (
        "CALFEED_HTTPS_ENDPOINTS_ONLY is set, and endpoints that were added before are still "
        f"sent to over http: {', '.join(plain)}; give them https URLs, or remove them"
    )


def open_sender(settings: Settings, found: Mapping[str, Channel]) -> Dispatch:
    """The sender of a process that can post, and send to these channels."""
    return Dispatch(
        {name: one.service for name, one in found.items()},
        allow_private=settings.allow_private_endpoints,
        egress_proxy=settings.proxy,
    )


def open_sender_to(settings: Settings, url: str) -> Dispatch:
    """The sender of what is sent to one endpoint alone, by the endpoint's URL.

    Raises InvalidInputError for a channel that the settings' file does not have.
    """
    if not url.startswith(SCHEME):
        return open_sender(settings, {})
    found, name = load_channels(settings), url.removeprefix(SCHEME)
    if name not in found:
        raise InvalidInputError(
            f"nothing can be sent to channel {name} from here: "
            + (
                f"{settings.channels} does not have it"
                if settings.channels
                else "CALFEED_CHANNELS is not set"
            )
        )
    return open_sender(settings, found)
