"""Apprise: one of its URLs becomes a service that a note can be sent to.

Apprise opens its own connections, so the address guard does not see them: its URLs come from the
operator alone. They hold tokens, so nothing that Apprise says leaves here before what stands in
the URL has been taken out of it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote

from apprise import (
    Apprise,
    AppriseAsset,
    AppriseAttachment,
    NotifyBase,
    NotifyFormat,
    PersistentStoreMode,
)
from apprise.common import OverflowMode
from apprise.manager_plugins import NotificationManager
from apprise.plugins import url_to_dict

from calfeed.errors import InvalidInputError
from calfeed.model.texts import nearest, shortened
from calfeed.reminders.plain_text import Note

_LOCAL = frozenset(
    {
        # These talk to the machine that they run on, or to a device of it.
        *("blink1", "dbus", "glib", "gnome", "macosx", "syslog", "windows"),
        # This keeps keys and subscriptions in files of this machine.
        "vapid",
    }
)
"""Modules of Apprise's plugins that are more than a network service."""

_KEY_FILES = frozenset({"pgpprv", "pgppub"})
"""Parameters of a mail's URL that name files; what others name, Apprise makes an attachment of."""

_SCHEMA = re.compile(r"\s*([a-z0-9]{1,20})://", re.IGNORECASE)
_PIECE = re.compile(r"[^\s/?&=:@#,;+!*'()]+")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_LONGEST_REASON = 300


class Service:
    """A service that notes are sent to. Its URL is in no repr and no error.

    Raises InvalidInputError for a URL that is none of Apprise's, that leads to no network service,
    or that Apprise cannot use; the error does not repeat it. `secure_schema` is what to write for
    the same service with TLS; empty where it has that.
    """

    def __init__(self, url: str) -> None:
        _silence()
        self._redact = _make_redactor(url)
        plugin = _make_plugin(url, self._redact)
        self.kind = str(plugin.service_name)
        self.secure_schema = _find_secure_schema(url, plugin)
        self._apprise = Apprise(asset=plugin.asset)
        self._apprise.add(plugin)

    def send(self, note: Note) -> str | None:
        """Send a note; None once the service has it, else for people why not."""
        result = self._apprise.notify(note.text, note.title, body_format=NotifyFormat.TEXT)
        if result:
            return None
        said = [entry.message for one in result.results for entry in one.logs()]
        said = said or [entry.message for entry in result.call_logs()]
        return f"{self.kind} did not take it: {self._redact(' '.join(said)) or 'no reason given'}"


def _find_secure_schema(url: str, plugin: NotifyBase) -> str:
    """What stands for a URL's schema with TLS; empty for one that means TLS itself."""
    found = _SCHEMA.match(url)
    schema = found[1].lower() if found else ""
    if schema not in ("http", *_names(plugin.protocol)):
        return ""
    return next(iter(_names(plugin.secure_protocol)), "https")


def _names(protocols: object) -> tuple[str, ...]:
    """The schemas of a plugin, which has one, several or none."""
    if isinstance(protocols, str):
        return (protocols,)
    return tuple(map(str, protocols)) if isinstance(protocols, list | tuple | set) else ()


def _make_plugin(url: str, redact: Callable[[str], str]) -> NotifyBase:
    schema = _SCHEMA.match(url)
    if schema is None:
        raise InvalidInputError("is no URL of Apprise's; one looks like slack://… or mailtos://…")
    parts = url_to_dict(url)  # type: ignore[no-untyped-call]  # Apprise's
    plugins = NotificationManager()  # type: ignore[no-untyped-call]  # Apprise's
    if parts is None:
        raise InvalidInputError(_explain_unknown(schema[1].lower(), plugins))
    # Some services are recognised by the https:// address that they hand out.
    plugin = plugins[parts["schema"]]
    service = str(plugin.service_name)
    if plugin.__module__.removeprefix("apprise.plugins.").split(".")[0] in _LOCAL:
        raise InvalidInputError(
            f"{parts['schema']}:// is not allowed: {service} is no network service, or keeps files "
            "on this machine"
        )
    if not plugin.enabled:
        needed = plugin.requirements.get("packages_required") or "a package that is not installed"
        words = needed if isinstance(needed, str) else ", ".join(map(str, needed))
        raise InvalidInputError(f"cannot be used here: {service} needs {words}")
    try:
        made = Apprise.instantiate(url, asset=_make_asset(), suppress_exceptions=False)
    except Exception as error:  # whatever a plugin makes of a URL that is not what it expects
        raise InvalidInputError(_unusable(service, redact(str(error)))) from None
    if made is None:
        raise InvalidInputError(_unusable(service, ""))
    named = [len(value) for value in vars(made).values() if isinstance(value, AppriseAttachment)]
    if any(named) or not _KEY_FILES.isdisjoint(parts["qsd"]):
        raise InvalidInputError(
            f"names a file for {service} to read, which calfeed does not allow; leave it out"
        )
    if "overflow" not in parts["qsd"]:
        # Some services refuse what is too long, and it would be refused at every attempt.
        made.overflow_mode = OverflowMode.TRUNCATE
    return made


def _make_asset() -> AppriseAsset:
    return AppriseAsset(
        app_id="calfeed",
        app_desc="calfeed",
        app_url="",
        storage_mode=PersistentStoreMode.MEMORY,
        pgp_autogen=False,
        pem_autogen=False,
        http_redirects=False,
        # It would go on in one of a few threads that all services share.
        service_timeout=0,
    )


def _explain_unknown(schema: str, plugins: NotificationManager) -> str:
    known = sorted(plugins.schemas())  # type: ignore[no-untyped-call]  # Apprise's
    if schema in known:
        return _unusable(str(plugins[schema].service_name), "")
    if schema in ("http", "https"):
        return (
            "is the address of no service that Apprise knows; jsons://… posts JSON to any address"
        )
    near = nearest(schema, known)
    hint = f"did you mean {near}://?" if near else "Apprise's documentation lists those there are"
    return f"{schema}:// is no service that Apprise knows; {hint}"


def _unusable(service: str, reason: str) -> str:
    said = f" ({reason})" if reason else ""
    return f"is not complete as a URL of {service}{said}; Apprise's documentation shows its form"


def _make_redactor(url: str) -> Callable[[str], str]:
    """What takes a URL, each piece of it and every other address out of a text."""
    path, _, query = url.partition("://")[2].partition("?")
    found = _PIECE.findall(path)
    for key, value in parse_qsl(query, keep_blank_values=True):
        # A parameter's name is no secret, but what stands where one is expected can be.
        found += _PIECE.findall(value) if value else _PIECE.findall(key)
    plain = [unquote(one) for one in found]
    pieces = {*found, *plain, *(piece for one in plain for piece in _PIECE.findall(one))} - {""}
    long = [re.escape(piece) for piece in pieces if len(piece) > 4]
    short = [rf"(?<!\w){re.escape(piece)}(?!\w)" for piece in pieces if len(piece) <= 4]
    ordered = [re.escape(url), *sorted(long, key=len, reverse=True), *short]
    secret = re.compile("|".join(ordered), re.IGNORECASE)

    def redact(text: str) -> str:
        clean = secret.sub("…", _ADDRESS.sub("…", text))
        return shortened(" ".join(clean.replace("\0", " ").split()), _LONGEST_REASON)

    return redact


def _silence() -> None:
    """Keep what Apprise and its HTTP library log to themselves: there are tokens in it."""
    for name in ("apprise", "urllib3"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
