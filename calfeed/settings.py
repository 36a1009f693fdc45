"""The settings, read once from `CALFEED_*` and `calfeed.toml` into a frozen model.

Only this module reads the environment.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from calfeed.errors import SettingsError, reason_of
from calfeed.private_files import keep_private, may_exist, read_secret
from calfeed.setting_checks import (
    SettingPath,
    check_admin_token,
    check_collector_url,
    check_contact,
    check_listen_address,
    check_path,
    check_ping_url,
    check_proxy_url,
    check_public_url,
    check_time_zone,
    make_sqlite_url,
)

PREFIX = "CALFEED_"
SETTINGS_FILE = Path("calfeed.toml")

KEY_FILE = "calfeed.keys"
"""The default name of the key file."""

_CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
_CREDENTIAL_NAME = "calfeed-keys"
"""The name of the key file among systemd credentials (`LoadCredential=`)."""

_FILE_SUFFIX = "_file"
"""The suffix of a setting that names the file with the value of a secret setting."""

_CHECKS: Mapping[str, Callable[[str], str]] = {
    "public_url": check_public_url,
    "time_zone": check_time_zone,
    "push_contact": check_contact,
    "admin_token": check_admin_token,
    "egress_proxy": check_proxy_url,
    "metrics": check_listen_address,
    "heartbeat_url": check_ping_url,
    "traces_url": check_collector_url,
}
"""The checks by setting. Each returns the text in normal form, or raises ValueError."""


class Settings(BaseModel):
    """The operator's settings. Paths are relative to the working directory."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    events: SettingPath = Field(Path("events"), description="the folder with the definitions")
    removal_wait: int = Field(
        10,
        ge=0,
        le=3_600,
        description="how many seconds `serve` waits before it publishes removals and cancellations "
        "of events",
    )
    grace: int = Field(
        120,
        ge=0,
        le=86_400,
        description="how many seconds a change that `serve` publishes must last before it is "
        "announced",
    )
    data: SettingPath = Field(Path("var"), description="the data folder")
    database_url: SecretStr | None = Field(
        None, description="the database URL; by default SQLite in the data folder"
    )
    keys_file: SettingPath | None = Field(
        None,
        description="the file of encryption keys; by default `calfeed.keys` next to the SQLite "
        "database, or in the data folder",
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
        description="how many proxies in front of the web server add to X-Forwarded-For",
    )
    allow_private_endpoints: bool = Field(
        False, description="allow webhooks to private addresses and to ports other than 80 and 443"
    )
    https_endpoints_only: bool = Field(
        False, description="reject endpoints and channels without TLS"
    )
    admin_token: SecretStr | None = Field(
        None, description="the token with full access to the API and the console"
    )
    egress_proxy: SecretStr | None = Field(None, description="the proxy for all outgoing requests")
    self_service: bool = Field(
        False, description="let anybody register an endpoint for public calendars through the API"
    )
    channels: SettingPath | None = Field(
        None, description="the configuration file of channels such as chats and mail"
    )
    push_contact: str | None = Field(
        None,
        max_length=200,
        description="turns push on: the address at which push services can contact you, "
        "such as mailto:desk@example.org",
    )
    mail_url: SecretStr | None = Field(
        None,
        description="the SMTP server that sends mails, such as "
        "smtps://user:password@mail.example.org",
    )
    mail_from: str | None = Field(None, description="the sender's address of mails")
    mail_rate: int = Field(
        600,
        ge=1,
        le=100_000,
        description="how many mails in a minute a worker sends to the addresses of one domain",
    )
    mail_dkim_key: SettingPath | None = Field(
        None, description="the file of the RSA key (PEM) that signs mails"
    )
    mail_dkim_selector: str | None = Field(
        None, description="the name of the DKIM key in the DNS, such as calfeed1"
    )
    mail_bounce_address: str | None = Field(
        None,
        description="the address to which mails bounce, with * for a token, such as "
        "bounces+*@example.org; by default made from the sender's address",
    )
    mail_bounces_url: SecretStr | None = Field(
        None,
        description="the mailbox of bounces, such as imaps://user:password@mail.example.org/INBOX",
    )
    keep_bodies: int = Field(
        90, ge=30, le=36_500, description="how many days the bodies of messages are kept"
    )

    log: Literal["text", "json"] = Field("text", description="the format of the log")
    metrics: str | None = Field(None, description="the address at which a worker serves metrics")
    heartbeat_url: SecretStr | None = Field(
        None, description="a URL that a worker requests once a minute while all is well"
    )
    traces_url: str | None = Field(None, description="the collector of a worker's traces")

    @field_validator(*_CHECKS)
    @classmethod
    def _check(cls, value: Any, info: ValidationInfo) -> Any:
        """Check a value by the rule of its setting."""
        check = _CHECKS[info.field_name or ""]
        if isinstance(value, SecretStr):
            return SecretStr(check(value.get_secret_value()))
        return value if value is None else check(value)

    @property
    def grace_time(self) -> timedelta:
        """How long a change that `serve` publishes waits before it is announced."""
        return timedelta(seconds=self.grace)

    @property
    def base_url(self) -> str:
        """The public URL of the web server, without a trailing slash."""
        return self.public_url or self.local_base_url

    @property
    def local_base_url(self) -> str:
        """The URL of the web server for processes on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def database(self) -> str:
        """The database's SQLAlchemy URL; it may hold a password."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return make_sqlite_url((self.data / "calfeed.sqlite3").absolute())

    @property
    def keys(self) -> Path | None:
        """The key file; None means `KEY_FILE` next to the SQLite database."""
        in_file = self.database.startswith("sqlite")
        return self.keys_file or (None if in_file else self.data / KEY_FILE)

    @property
    def has_database(self) -> bool:
        """Whether a database is configured, or its SQLite file exists or cannot be seen."""
        return self.database_url is not None or may_exist(self.data / "calfeed.sqlite3")

    @property
    def proxy(self) -> str | None:
        """The URL of the egress proxy, in the form of libcurl; it may hold a password."""
        return self.egress_proxy.get_secret_value() if self.egress_proxy is not None else None


_SECRET_SETTINGS = {
    name for name, field in Settings.model_fields.items() if SecretStr in get_args(field.annotation)
}
"""The settings that are secrets; `<NAME>_FILE` may name a file with the value instead."""


def load_settings(
    environment: Mapping[str, str] | None = None,
    file: Path = SETTINGS_FILE,
    *,
    protect: bool = True,
) -> Settings:
    """Load the settings: environment variables override the file, which overrides the defaults.

    A file with secrets is made private, unless `protect` is false. Raises SettingsError with every
    unknown or invalid setting.
    """
    environment = os.environ if environment is None else environment
    from_file = _read_file(file)
    if protect and _has_secrets(from_file):
        keep_private(file)
    given = {
        **_read_secret_files(
            {name: (text, f"{name} in {file}") for name, text in from_file.items()}
        ),
        **_read_secret_files(
            {name: (environment[name], name) for name in environment if name.startswith(PREFIX)}
        ),
    }
    credential = Path(environment.get(_CREDENTIALS_VARIABLE, ""), _CREDENTIAL_NAME)
    if _CREDENTIALS_VARIABLE in environment and may_exist(credential):
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
        raise SettingsError(*sorted(problems)) from None


def find_secret_files(
    environment: Mapping[str, str] | None = None, file: Path = SETTINGS_FILE
) -> list[Path]:
    """Return the files that contain secret settings.

    These are the files that settings with `_FILE` name, and the file of settings if it has secrets.
    Raises SettingsError if the file of settings cannot be read.
    """
    environment = os.environ if environment is None else environment
    from_file = _read_file(file)
    named = {_key_of(name): value for name, value in from_file.items()}
    named |= {_key_of(name): environment[name] for name in environment if name.startswith(PREFIX)}
    found = [named.get(name + _FILE_SUFFIX) for name in sorted(_SECRET_SETTINGS)]
    own = [file] if _has_secrets(from_file) else []
    return own + [Path(str(path)) for path in found if path is not None]


def environment_with(admin_token: SecretStr) -> dict[str, str]:
    """Return this process's environment for a child process, with another admin token."""
    name = f"{PREFIX}ADMIN_TOKEN"
    others = {key: text for key, text in os.environ.items() if key != name + _FILE_SUFFIX.upper()}
    return {**others, name: admin_token.get_secret_value()}


@dataclass(frozen=True)
class ServiceManager:
    """The service manager that started this process: its socket, and its watchdog's interval."""

    socket: str
    watchdog_seconds: float | None = None


def find_service_manager(environment: Mapping[str, str] | None = None) -> ServiceManager | None:
    """Return the service manager that wants to be notified (sd_notify(3)), if there is one."""
    environment = os.environ if environment is None else environment
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return None
    microseconds = environment.get("WATCHDOG_USEC", "")
    seconds = int(microseconds) / 1e6 if microseconds.isdecimal() else 0.0
    return ServiceManager(address, seconds or None)


def _key_of(name: str) -> str:
    return name.removeprefix(PREFIX).lower()


def _has_secrets(from_file: Mapping[str, Any]) -> bool:
    return any(_key_of(name) in _SECRET_SETTINGS for name in from_file)


def _read_secret_files(given: Mapping[str, tuple[Any, str]]) -> dict[str, tuple[Any, str]]:
    """Return (value, source) by key, with secrets read from the files that `_FILE` names."""
    settings = {_key_of(name): entry for name, entry in given.items()}
    for key in sorted(_SECRET_SETTINGS):
        if key + _FILE_SUFFIX in settings:
            path, source = settings.pop(key + _FILE_SUFFIX)
            if key in settings:
                raise SettingsError(f"{source}: {settings[key][1]} is set as well; keep one")
            try:
                settings[key] = read_secret(Path(check_path(str(path)))), source
            except (SettingsError, ValueError) as error:
                raise SettingsError(f"{source}: {error}") from error
    return settings


def _read_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8-sig"))  # editors on Windows write a BOM
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
    return f"{place} is not a setting; the settings are " + ", ".join(
        PREFIX + name.upper() for name in known
    )
