"""The settings: read once, from `CALFEED_*` and `calfeed.toml`, into one frozen value.

This is the only module that reads the environment.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from calfeed.errors import SettingsError, reason_of
from calfeed.private_files import keep_private, read_secret

PREFIX = "CALFEED_"
FILE = Path("calfeed.toml")

KEY_FILE = "calfeed.keys"
"""The name of the file of the keys, where no other is given."""

_CREDENTIALS = "CREDENTIALS_DIRECTORY"
_CREDENTIAL = "calfeed-keys"
"""That file among the credentials that systemd gives a service."""

_IN_FILE = "_file"
"""What follows a secret setting's name where its value stands in a file."""

# What a bearer token can be made of (RFC 6750, 2.1).
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{20,198}={0,2}")

_HOST = re.compile(r"\[[0-9a-f:.]+\]|[A-Za-z0-9._-]+")

# With socks5h, unlike socks5, it is the proxy that looks names up, as with the others.
_PROXY_SCHEMES = ("http", "https", "socks5h")


class Settings(BaseModel):
    """What an operator can choose. Paths are relative to the working directory."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    events: Path = Field(Path("events"), description="the folder of the definitions")
    removal_wait: int = Field(
        10,
        ge=0,
        le=3_600,
        description="for how many seconds `serve` waits before it publishes that events are gone "
        "or cancelled",
    )
    grace: int = Field(
        120,
        ge=0,
        le=86_400,
        description="for how many seconds what `serve` publishes has to hold before people are "
        "told that it changed",
    )
    data: Path = Field(Path("var"), description="the folder of what calfeed keeps")
    database_url: SecretStr | None = Field(
        None, description="the database; SQLite in the data folder where it is not given"
    )
    keys_file: Path | None = Field(
        None,
        description="the file of the keys that secrets are encrypted with; `calfeed.keys` beside "
        "the SQLite database, or in the data folder, where it is not given",
    )
    host: str = Field("127.0.0.1", min_length=1, description="the address the web server binds")
    port: int = Field(8000, ge=1, le=65535, description="the port the web server binds")
    public_url: str | None = Field(None, description="where people reach the web server")
    time_zone: str = Field(
        "", description="the time zone of pages about all calendars, such as Asia/Karachi"
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="how many proxies before the web server add to X-Forwarded-For",
    )
    allow_private_endpoints: bool = Field(
        False, description="let webhooks go to private addresses and to ports other than 80, 443"
    )
    https_endpoints_only: bool = Field(
        False, description="refuse endpoints and channels that are reached without TLS"
    )
    admin_token: SecretStr | None = Field(
        None, description="the token that may do everything in the API, and signs in to the console"
    )
    egress_proxy: SecretStr | None = Field(
        None, description="the proxy that everything posted or fetched goes through"
    )
    self_service: bool = Field(
        False, description="let anybody register an endpoint for public calendars through the API"
    )
    channels: Path | None = Field(
        None, description="the file of the channels: chats, mail and the like"
    )
    keep_bodies: int = Field(
        90, ge=30, le=36_500, description="for how many days the bodies of messages are kept"
    )

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        url = TypeAdapter(AnyHttpUrl).validate_python(value)
        others = (url.query, url.fragment, url.username, url.password)
        fits = url.path in (None, "/") and others == (None,) * 4 and url.port != 0
        if not fits or not _HOST.fullmatch(url.host or ""):
            raise ValueError(
                "it has to be a scheme, a host and perhaps a port, as https://example.org; "
                "calfeed needs a host of its own, not a path on one"
            )
        # As pydantic writes it: in ASCII, in small letters, without the scheme's own port.
        return str(url).rstrip("/")

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key if value else ""
        except (ValueError, OSError, LookupError):
            raise ValueError(
                "it has to be the name of a time zone, such as Asia/Karachi or UTC"
            ) from None

    @field_validator("admin_token")
    @classmethod
    def _check_admin_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError(
                "it has to be from 20 to 200 letters, digits and -._~+/=, so that nobody guesses "
                "it and every client can send it; `openssl rand -hex 32` makes one"
            )
        return value

    @field_validator("egress_proxy")
    @classmethod
    def _check_egress_proxy(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _names_a_proxy(value.get_secret_value()):
            raise ValueError(
                "it has to be a scheme (http, https or socks5h), a host and a port, as "
                "http://proxy.example.org:3128; a user name and a password may stand before the "
                "host, percent-encoded, as http://user:password@proxy.example.org:3128"
            )
        return value

    @property
    def grace_time(self) -> timedelta:
        """How long what `serve` publishes has to hold before it is announced."""
        return timedelta(seconds=self.grace)

    @property
    def base_url(self) -> str:
        """Where people reach the web server, without a slash at the end."""
        return self.public_url or self.base_url_here

    @property
    def base_url_here(self) -> str:
        """Where this machine reaches its own web server."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def database(self) -> str:
        """The database's SQLAlchemy URL; it may hold a password."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.data / 'calfeed.sqlite3').absolute()}"

    @property
    def keys(self) -> Path | None:
        """The file of the keys of the secrets in the database; None: it is beside that one's."""
        in_file = self.database.startswith("sqlite")
        return self.keys_file or (None if in_file else self.data / KEY_FILE)

    @property
    def has_database(self) -> bool:
        """Whether there may be a database: one is configured, or its SQLite file is there."""
        return self.database_url is not None or (self.data / "calfeed.sqlite3").exists()

    @property
    def proxy(self) -> str | None:
        """The URL of the egress proxy, as libcurl reads it; it may hold a password."""
        return self.egress_proxy.get_secret_value() if self.egress_proxy is not None else None


_SECRETS = {
    name for name, field in Settings.model_fields.items() if SecretStr in get_args(field.annotation)
}
"""The settings that are secrets: with `_FILE` behind its name, each may name a file instead."""


def load_settings(environment: Mapping[str, str] | None = None, file: Path = FILE) -> Settings:
    """The settings of this process: the environment's before the file's before the defaults.

    Raises SettingsError, with every setting that is unknown or cannot be used.
    """
    environment = os.environ if environment is None else environment
    from_file = _read_file(file)
    if any(_key_of(name) in _SECRETS for name in from_file):
        keep_private(file)
    given = {
        **_gather({name: (text, f"{name} in {file}") for name, text in from_file.items()}),
        **_gather({name: (environment[name], name) for name in environment if _is_ours(name)}),
    }
    credential = Path(environment.get(_CREDENTIALS, ""), _CREDENTIAL)
    if _CREDENTIALS in environment and credential.exists():
        given.setdefault("keys_file", (credential, str(credential)))
    entries = {key: value for key, (value, _) in given.items()}
    places = {key: place for key, (_, place) in given.items()}
    try:
        return Settings(**entries)
    except ValidationError as error:
        problems = [
            _explain(str(entry["loc"][0]), entry["type"], reason_of(entry), places)
            for entry in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("\n".join(sorted(problems))) from None


def environment_with(admin_token: SecretStr) -> dict[str, str]:
    """The environment of this process, with another admin token, for a process that it starts."""
    name = f"{PREFIX}ADMIN_TOKEN"
    others = {key: text for key, text in os.environ.items() if key != name + _IN_FILE.upper()}
    return {**others, name: admin_token.get_secret_value()}


def _key_of(name: str) -> str:
    return name.removeprefix(PREFIX).lower()


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX)


def _gather(given: Mapping[str, tuple[Any, str]]) -> dict[str, tuple[Any, str]]:
    """Settings by key, each with its place; a secret may stand in a file that is named instead."""
    found = {_key_of(name): entry for name, entry in given.items()}
    for key in sorted(_SECRETS):
        if key + _IN_FILE in found:
            named, place = found.pop(key + _IN_FILE)
            if key in found:
                raise SettingsError(
                    f"{place}: {found[key][1]} is given as well; choose one of them"
                )
            try:
                found[key] = read_secret(Path(str(named))), place
            except SettingsError as error:
                raise SettingsError(f"{place}: {error}") from error
    return found


def _names_a_proxy(text: str) -> bool:
    """Whether a proxy's URL leaves nothing to guess: libcurl's port for want of one is 1080."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # its words quote what was given, perhaps the half of a password
        return False
    return (
        parts.scheme in _PROXY_SCHEMES
        and bool(parts.hostname)
        and bool(port)
        and parts.path in ("", "/")
        and not parts.query
        and not parts.fragment
        and text.isascii()
        and not any(character.isspace() or not character.isprintable() for character in text)
    )


def _read_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error


def _explain(key: str, kind: str, message: str, places: Mapping[str, str]) -> str:
    place = places.get(key, PREFIX + key.upper())
    if kind != "extra_forbidden":
        return f"{place}: {message}"
    known = sorted(Settings.model_fields)
    near = difflib.get_close_matches(key, known, n=1)
    if near:
        return f"{place} is not a setting; did you mean {PREFIX}{near[0].upper()}?"
    return f"{place} is not a setting; there are " + ", ".join(
        PREFIX + name.upper() for name in known
    )
