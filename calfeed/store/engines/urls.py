"""Database URLs: read them, and show them without what may be secret.

SQLAlchemy's own reader takes what follows an `@` within a password for a host, which would then be
shown and looked up. This one refuses a URL that can be read in two ways, and never quotes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote

from sqlalchemy.engine import URL

from calfeed.errors import StoreError

# The user ends at the first colon, the password at the first @, whatever it contains. The group is
# atomic, so that neither is read as a host instead if the rest does not match.
_URL = re.compile(
    r"""
    (?P<scheme>[a-zA-Z0-9_]+) (?:\+(?P<driver>\w+))? ://
    (?>(?: (?P<user>[^:/?]*) (?: :(?P<password>[^@]*) )? @ )?)
    (?P<hosts>[^/?@]*)
    (?: /(?P<database>[^?@]*) )?
    (?: \?(?P<query>.*) )?
    """,
    re.VERBOSE | re.DOTALL,
)
_SQLITE = re.compile(
    r"sqlite(?:\+pysqlite)?://(?P<host>[^/?]*)(?:/(?P<path>[^?]*))?(?:\?(?P<query>.*))?", re.DOTALL
)
_HOST = re.compile(r"(?:\[(?P<address>[^\[\]]+)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[0-9]*))?")
_PARAMETER = re.compile(r"[A-Za-z_]+=.*", re.DOTALL)

_HIDDEN = "***"


def not_a_url() -> StoreError:
    """Return the error about an invalid URL. It does not quote the URL, which may be secret."""
    return StoreError(
        "CALFEED_DATABASE_URL is not a database URL; write sqlite:///path or "
        "postgresql://user:password@host/name, and percent-encode the password (%40 for @)"
    )


def parse_url(text: str) -> URL:
    """Read a database URL. Raises StoreError if it is invalid, or of another database system."""
    if "\0" in unquote(text):
        raise not_a_url()
    if match := _SQLITE.fullmatch(text):
        return _make_sqlite(match)
    match = _URL.fullmatch(text)
    if match is None:
        raise not_a_url()
    if match["scheme"] not in ("postgresql", "postgres"):
        name = "+".join(part for part in match.group("scheme", "driver") if part)
        raise StoreError(f"calfeed supports SQLite and PostgreSQL, not {name}")
    return _make_postgresql(match)


def is_sqlite(url: URL) -> bool:
    """Whether a URL is one of SQLite."""
    return url.get_backend_name() == "sqlite"


def show_url(url: URL) -> str:
    """Return a URL for people, without passwords and parameters that may be secret."""
    if is_sqlite(url):  # without the parameters, as calfeed opens the file itself
        return f"sqlite:///{url.database}"
    public = _find_public_parameters()
    shown = {key: value if key in public else _HIDDEN for key, value in url.query.items()}
    return _render(url, shown, "" if url.password is None else f":{_HIDDEN}")


def make_program_url(url: URL) -> str:
    """Return a URL for the programs of PostgreSQL, without passwords."""
    public = _find_public_parameters()
    return _render(url, {key: value for key, value in url.query.items() if key in public})


def _make_sqlite(match: re.Match[str]) -> URL:
    if match["host"]:
        raise StoreError(
            "the URL of a SQLite database has no host; write three slashes before a relative path, "
            "as in sqlite:///path, and four before an absolute one"
        )
    path = unquote(match["path"] or "")
    if path in ("", ":memory:"):
        raise StoreError("a SQLite database must be a file; write sqlite:///path")
    return URL.create("sqlite", database=path, query=dict(parse_qsl(match["query"] or "")))


def _make_postgresql(match: re.Match[str]) -> URL:
    user, password, database = match.group("user", "password", "database")
    text = match["query"] or ""
    if not all(_PARAMETER.fullmatch(part) for part in text.split("&") if part) or (
        password is not None and ("@" in text or _may_be_hosts(user, password))
    ):
        raise not_a_url()
    host, port, query = _read_hosts(match["hosts"], parse_qsl(text))
    return URL.create(
        "postgresql",
        username=None if user is None else unquote(user),
        password=None if password is None else unquote(password),
        host=host or None,
        port=int(port) if port else None,
        database=None if database is None else unquote(database),
        query=query,
    )


def _read_hosts(text: str, pairs: list[tuple[str, str]]) -> tuple[str, str, dict[str, str]]:
    """Return the host, its port and the parameters, which have the hosts if there are several.

    SQLAlchemy has a syntax of its own for several hosts: a parameter for each.
    """
    query = dict(pairs)
    repeated = [value for key, value in pairs if key == "host"]
    hosts, ports = _split_hosts(text)
    if len(hosts) > 1 and repeated:
        raise not_a_url()
    if len(repeated) > 1:
        hosts, ports = _split_hosts(",".join(repeated))
    if len(hosts) > 1:
        if "port" in query:
            raise not_a_url()
        return "", "", query | {"host": ",".join(hosts), "port": ",".join(ports)}
    if "," in query.get("host", "") and query.get("port", "").isdecimal():
        # As in libpq, one port is for every host.
        query["port"] = ",".join([query["port"]] * (query["host"].count(",") + 1))
    return hosts[0], ports[0], query


def _split_hosts(text: str) -> tuple[list[str], list[str]]:
    """Return the hosts and the ports, of which each may be empty. Raises StoreError."""
    found = [_HOST.fullmatch(one) for one in text.split(",")]
    matches = [match for match in found if match is not None]
    if len(matches) < len(found):
        raise not_a_url()
    return (
        [unquote(match["address"] or match["host"] or "") for match in matches],
        [match["port"] or "" for match in matches],
    )


def _may_be_hosts(user: str, password: str) -> bool:
    """Whether what was read as user and password can be hosts, and what follows them.

    In `one:5432/name?application_name=a@b`, the @ may belong to the parameter.
    """
    start = re.split("[/?]", password, maxsplit=1)
    if len(start) == 1:
        return False
    try:
        _split_hosts(f"{user}:{start[0]}")
    except StoreError:
        return False
    return True


def _find_public_parameters() -> frozenset[str]:
    """Return the parameters that libpq itself would show: no passwords, and nothing for experts."""
    from psycopg.pq import Conninfo  # not at the top: SQLite does not need it

    options = Conninfo.get_defaults()
    return frozenset(one.keyword.decode() for one in options if not one.dispchar)


def _render(url: URL, query: Mapping[str, str | tuple[str, ...]], password: str = "") -> str:
    """Write a URL of PostgreSQL as libpq reads it; `password` follows the user's name."""
    left = {key: str(value) for key, value in query.items()}
    hosts = [url.host or ""]
    ports = ["" if url.port is None else str(url.port)]
    # Sockets stay a parameter, as their names have slashes.
    if hosts == [""] and "," in left.get("host", "") and "/" not in left["host"]:
        hosts = left.pop("host").split(",")
        ports = left.pop("port", "," * (len(hosts) - 1)).split(",")
    places = [
        (f"[{host}]" if ":" in host else quote(host, safe="")) + (f":{port}" if port else "")
        for host, port in zip(hosts, ports, strict=True)
    ]
    user = "" if url.username is None else f"{quote(url.username, safe='')}{password}@"
    name = "" if url.database is None else f"/{quote(url.database, safe='')}"
    text = "&".join(f"{key}={quote(value, safe='/:,*')}" for key, value in left.items())
    return f"postgresql://{user}{','.join(places)}{name}{'?' if text else ''}{text}"
