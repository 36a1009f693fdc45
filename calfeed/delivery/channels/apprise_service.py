"""Send notifications through Apprise, to a service that an Apprise URL names.

Apprise opens its own connections, which bypass the address guard, so only the operator can
configure its URLs. They contain tokens, so every part of the URL is removed from Apprise's
messages.
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
from calfeed.reminders.plain_text import Notification

_LOCAL_PLUGINS = frozenset(
    {
        # These use this machine, or a device that is attached to it.
        *("blink1", "dbus", "glib", "gnome", "macosx", "syslog", "windows"),
        # This stores keys and subscriptions in local files.
        "vapid",
    }
)
"""Modules of Apprise plugins that access the local machine."""

_KEY_FILE_PARAMETERS = frozenset({"pgpprv", "pgppub"})
"""Parameters of mail URLs that name key files. Every other file is found as an attachment."""

_SCHEMA = re.compile(r"\s*([a-z0-9]{1,20})://", re.IGNORECASE)
_URL_PART = re.compile(r"[^\s/?&=:@#,;+!*'()]+")
_ANY_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_MAX_REASON_LENGTH = 300


class Service:
    """A service that notifications are sent to. Its repr and its errors leave out the URL.

    Raises InvalidInputError for a URL that is not an Apprise URL, that names a local service, or
    that Apprise cannot use. `secure_schema` is the URL schema of the same service with TLS; empty
    if the URL already uses TLS.
    """

    def __init__(self, url: str) -> None:
        _silence_loggers()
        self._redact = _make_redactor(url)
        plugin = _make_plugin(url, self._redact)
        self.kind = str(plugin.service_name)
        self.secure_schema = _find_secure_schema(url, plugin)
        self._apprise = Apprise(asset=plugin.asset)
        self._apprise.add(plugin)

    def send(self, notification: Notification) -> str | None:
        """Send a notification; return None on success, else the reason for people."""
        result = self._apprise.notify(
            notification.text, notification.title, body_format=NotifyFormat.TEXT
        )
        if result:
            return None
        logged = [entry.message for part in result.results for entry in part.logs()]
        logged = logged or [entry.message for entry in result.call_logs()]
        reason = self._redact(" ".join(logged)) or "no reason given"
        return f"{self.kind} did not accept the message: {reason}"


def _find_secure_schema(url: str, plugin: NotifyBase) -> str:
    """The URL schema with TLS; empty if the URL already uses TLS."""
    match = _SCHEMA.match(url)
    schema = match[1].lower() if match else ""
    if schema not in ("http", *_schemas_of(plugin.protocol)):
        return ""
    return next(iter(_schemas_of(plugin.secure_protocol)), "https")


def _schemas_of(protocols: object) -> tuple[str, ...]:
    """Return the schemas in a plugin's attribute, which is a text, a collection or None."""
    if isinstance(protocols, str):
        return (protocols,)
    return tuple(map(str, protocols)) if isinstance(protocols, list | tuple | set) else ()


def _make_plugin(url: str, redact: Callable[[str], str]) -> NotifyBase:
    schema = _SCHEMA.match(url)
    if schema is None:
        raise InvalidInputError("is not an Apprise URL; write one like slack://… or mailtos://…")
    parts = url_to_dict(url)  # type: ignore[no-untyped-call]  # Apprise's
    plugins = NotificationManager()  # type: ignore[no-untyped-call]  # Apprise's
    if parts is None:
        raise InvalidInputError(_explain_unknown(schema[1].lower(), plugins))
    # This can differ from the URL's schema: Apprise recognises some services by https:// URLs.
    plugin_class = plugins[parts["schema"]]
    service = str(plugin_class.service_name)
    if plugin_class.__module__.removeprefix("apprise.plugins.").split(".")[0] in _LOCAL_PLUGINS:
        raise InvalidInputError(
            f"{parts['schema']}:// is not allowed: {service} is not a network service, or stores "
            "files on this machine"
        )
    if not plugin_class.enabled:
        packages = plugin_class.requirements.get("packages_required") or "a missing package"
        needed = packages if isinstance(packages, str) else ", ".join(map(str, packages))
        raise InvalidInputError(f"cannot be used here: {service} needs {needed}")
    try:
        plugin = Apprise.instantiate(url, asset=_make_asset(), suppress_exceptions=False)
    except Exception as error:  # plugins raise anything for an invalid URL
        raise InvalidInputError(_explain_incomplete(service, redact(str(error)))) from None
    if plugin is None:
        raise InvalidInputError(_explain_incomplete(service, ""))
    values = vars(plugin).values()
    attaches_file = any(len(value) for value in values if isinstance(value, AppriseAttachment))
    if attaches_file or not _KEY_FILE_PARAMETERS.isdisjoint(parts["qsd"]):
        raise InvalidInputError(
            f"names a file for {service} to read, which calfeed does not allow; leave it out"
        )
    if "overflow" not in parts["qsd"]:
        # Some services reject a text that is too long, and would do so at every attempt.
        plugin.overflow_mode = OverflowMode.TRUNCATE
    return plugin


def _make_asset() -> AppriseAsset:
    return AppriseAsset(
        app_id="calfeed",
        app_desc="calfeed",
        app_url="",
        storage_mode=PersistentStoreMode.MEMORY,
        pgp_autogen=False,
        pem_autogen=False,
        http_redirects=False,
        # 0 turns off Apprise's own timeout: it would leave a call that hangs in a thread of the
        # small pool that all services share.
        service_timeout=0,
    )


def _explain_unknown(schema: str, plugins: NotificationManager) -> str:
    known = sorted(plugins.schemas())  # type: ignore[no-untyped-call]  # Apprise's
    if schema in known:
        return _explain_incomplete(str(plugins[schema].service_name), "")
    if schema in ("http", "https"):
        return "is not the URL of a service that Apprise knows; jsons://… posts JSON to any URL"
    near = nearest(schema, known)
    hint = f"did you mean {near}://?" if near else "Apprise's documentation lists all services"
    return f"{schema}:// is not a service that Apprise knows; {hint}"


def _explain_incomplete(service: str, reason: str) -> str:
    details = f" ({reason})" if reason else ""
    return f"is not a complete URL of {service}{details}; see Apprise's documentation for its form"


def _make_redactor(url: str) -> Callable[[str], str]:
    """Return a function that removes a URL, its parts and every other URL from a text."""
    path, _, query = url.partition("://")[2].partition("?")
    encoded = _URL_PART.findall(path)
    for key, value in parse_qsl(query, keep_blank_values=True):
        # A parameter's name is not secret, but a name without a value may be a token.
        encoded += _URL_PART.findall(value or key)
    decoded = [unquote(part) for part in encoded]
    parts = {*encoded, *decoded, *(part for text in decoded for part in _URL_PART.findall(text))}
    parts.discard("")
    long = [re.escape(part) for part in parts if len(part) > 4]
    short = [rf"(?<!\w){re.escape(part)}(?!\w)" for part in parts if len(part) <= 4]
    ordered = [re.escape(url), *sorted(long, key=len, reverse=True), *short]
    secret = re.compile("|".join(ordered), re.IGNORECASE)

    def redact(text: str) -> str:
        clean = secret.sub("…", _ANY_URL.sub("…", text))
        return shortened(" ".join(clean.replace("\0", " ").split()), _MAX_REASON_LENGTH)

    return redact


def _silence_loggers() -> None:
    """Remove the logs of Apprise and its HTTP library from calfeed's logs: they contain tokens."""
    for name in ("apprise", "urllib3"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
