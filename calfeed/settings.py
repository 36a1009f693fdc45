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
from typing import Any
from urllib.parse import urlsplit

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

from calfeed.errors import SettingsError

PREFIX = "CALFEED_"
FILE = Path("calfeed.toml")

# What a bearer token can be made of (RFC 6750, 2.1).
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{20,198}={0,2}")

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
    host: str = Field("127.0.0.1", min_length=1, description="the address the web server binds")
    port: int = Field(8000, ge=1, le=65535, description="the port the web server binds")
    public_url: str | None = Field(None, description="where people reach the web server")
    allow_private_endpoints: bool = Field(
        False, description="let webhooks go to private addresses and to ports other than 80, 443"
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
        if url.path not in (None, "/") or url.query or url.fragment or url.username:
            raise ValueError(
                "it has to be a scheme, a host and perhaps a port, as https://example.org; "
                "calfeed needs a host of its own, not a path on one"
            )
        return value.rstrip("/")

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
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"http://{host}:{self.port}"

    @property
    def database(self) -> str:
        """The database's SQLAlchemy URL; it may hold a password."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.data / 'calfeed.sqlite3').absolute()}"

    @property
    def has_database(self) -> bool:
        """Whether there may be a database: one is configured, or its SQLite file is there."""
        return self.database_url is not None or (self.data / "calfeed.sqlite3").exists()

    @property
    def proxy(self) -> str | None:
        """The URL of the egress proxy, as libcurl reads it; it may hold a password."""
        return self.egress_proxy.get_secret_value() if self.egress_proxy is not None else None


def load_settings(environment: Mapping[str, str] | None = None, file: Path = FILE) -> Settings:
    """The settings of this process: the environment's before the file's before the defaults.

    Raises SettingsError, with every setting that is unknown or cannot be used.
    """
    environment = os.environ if environment is None else environment
    entries: dict[str, Any] = {}
    places: dict[str, str] = {}
    for name, value in _read_file(file).items():
        key = name.removeprefix(PREFIX).lower()
        entries[key], places[key] = value, f"{name} in {file}"
    for name, text in environment.items():
        if name.startswith(PREFIX):
            key = name.removeprefix(PREFIX).lower()
            entries[key], places[key] = text, name
    try:
        return Settings(**entries)
    except ValidationError as error:
        problems = [
            _explain(str(entry["loc"][0]), entry["type"], entry["msg"], places)
            for entry in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("\n".join(sorted(problems))) from None


def environment_with(admin_token: SecretStr) -> dict[str, str]:
    """The environment of this process, with another admin token, for a process that it starts."""
    return {**os.environ, f"{PREFIX}ADMIN_TOKEN": admin_token.get_secret_value()}


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
        return f"{place}: {message.removeprefix('Value error, ')}"
    known = sorted(Settings.model_fields)
    near = difflib.get_close_matches(key, known, n=1)
    if near:
        return f"{place} is not a setting; did you mean {PREFIX}{near[0].upper()}?"
    return f"{place} is not a setting; there are " + ", ".join(
        PREFIX + name.upper() for name in known
    )
