"""A site of files is as good as the live one, and goes on from run to run without a database."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urljoin, urlsplit

import pytest
from click.testing import CliRunner

from calfeed.cli.definitions.exporting import export
from calfeed.definitions.reader import read_definitions
from calfeed.errors import CalfeedError
from calfeed.publish.apply import publish
from calfeed.store.database import Database
from calfeed.web.pages.export import make_site
from tests.acceptance.site import Site, split_feed, until

# With `served` below in the place of the live site, these run here once more: pytest finds them
# by their names, which nothing else here uses.
from tests.acceptance.test_clients import (  # noqa: F401 - pytest uses them
    subscriber,
    test_a_second_sync_copies_nothing,
    test_ical_vobject_and_icalendar_read_every_feed_without_complaint,
    test_khal_shows_the_debate_on_each_of_its_days_and_the_address_on_its_own,
    test_khal_shows_this_years_observances,
    test_khal_shows_where_the_council_term_begins_and_ends_and_when_the_stay_does,
    test_vdirsyncer_stores_every_event_of_a_feed_it_subscribes_to,
)
from tests.migrated import migrated_sqlite
from tests.patience import PATIENCE

URL = "https://dates.example.org/desk"

SECRET = """
name: Quiet talks
time_zone: UTC
visibility: private
events:
  backchannel: {summary: Behind the curtain, start: 2030-01-01}
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Two of the calendars, so that a site of each month in each language is quick to make."""
    site = Site(tmp_path / "site")
    site.remind()
    for name in ("pakistan-unga-2024.yaml", "security-council-term.yaml"):
        (site.events / name).unlink()
    return site


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The exported site on a server that knows nothing but files."""
    site = Site(tmp_path_factory.mktemp("export") / "site")
    site.remind()
    site.do("publish")
    site.do("export", "public")
    words = ["-m", "http.server", str(site.port), "--bind", "127.0.0.1", "-d", "public"]
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=site.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        until(lambda: answers(site.url), "the file server answers")
        yield site
        server.terminate()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE):
            return True
    except URLError:
        return False


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path in it."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def unfold(feed: bytes) -> list[bytes]:
    return feed.replace(b"\r\n ", b"").split(b"\r\n")


class Links(HTMLParser):
    """What a page links to, and what it loads."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        for name in ("href", "src"):
            if target := found.get(name):
                self.targets.append(target)
                if name == "src" or (tag == "link" and found.get("rel") == "stylesheet"):
                    self.loaded.append(target)


def test_what_is_exported_is_byte_for_byte_what_the_live_site_answers(served: Site) -> None:
    exported = tree(served.folder / "public")
    same = [
        name
        for name in exported
        if re.fullmatch(r"c[^.]+\.(ics|json|jcal|csv|atom)", name) and "occurrences" not in name
    ]
    assert len(same) == 34, "5 feeds, 12 events, 3 other shapes of 4 calendars, 4 + 1 changes"
    live = Site(served.folder / "live")
    live.remind()
    live.environment["CALFEED_PUBLIC_URL"] = served.url
    live.environment["CALFEED_DATABASE_URL"] = (
        f"sqlite:///{served.folder / 'var' / 'calfeed.sqlite3'}"
    )
    with live.serving():
        assert {name: live.get(f"/{name}")[0] for name in same} == {
            name: exported[name] for name in same
        }
        chosen = live.get("/calendars/un-observances.ics?lang=ur&alarms=0")[0]
    mine = unfold(exported["calendars/un-observances.ur.no-alarms.ics"])
    differ = [(one, other) for one, other in zip(unfold(chosen), mine, strict=True) if one != other]
    address = f"SOURCE;VALUE=URI:{served.url}/calendars/un-observances"
    assert differ == [
        (f"{address}.ics?lang=ur&alarms=0".encode(), f"{address}.ur.no-alarms.ics".encode())
    ]


def test_the_same_state_exports_the_same_bytes_in_any_zone_and_on_any_day(served: Site) -> None:
    files = tree(served.folder / "public")
    environment = {"PYTHONHASHSEED": "1", "TZ": "America/New_York"}
    assert served.run("export", "again", environment=environment).returncode == 0
    assert tree(served.folder / "again") == files
    database = Database(f"sqlite:///{served.folder / 'var' / 'calfeed.sqlite3'}")
    later = datetime(datetime.now(UTC).year, 12, 31, 23, 59, tzinfo=UTC)
    made = dict(make_site(database, served.url, later))
    database.close()
    del files[".calfeed-export"]
    assert made == files
    words = re.compile(rb"in \d+ days|tomorrow|class=\"distance\">(now|today|over)")
    assert not [name for name, body in files.items() if words.search(body)]


def test_every_link_leads_to_a_file_and_no_page_loads_anything_from_elsewhere(
    served: Site,
) -> None:
    """Under a path, too: where a host gives each site a folder."""
    served.do("export", "below", "--base-url", f"{URL}/")
    files = tree(served.folder / "below")
    pages = [name for name in files if name.endswith(".html")]
    choices = {one for one in pages if re.search(r"\.(month|year)\.\d", one)}
    # In four languages: home, 4 calendars in three views, 12 events, how to subscribe, embeds.
    assert len(set(pages) - choices) == 4 * (1 + 4 * 3 + 12 + 1 + 4 + 4) + 1
    for name in pages:
        links = Links(files[name])
        assert [link for link in links.loaded if urlsplit(link).netloc] == []
        # The style and the script; an embed has no script.
        assert len(links.loaded) == (1 if name.startswith("embed/") else 2)
        for link in links.targets:
            target = urljoin(f"{URL}/{name}", link)
            if target.startswith("https://dates.example.org"):
                file = target.removeprefix(f"{URL}/").partition("#")[0]
                assert f"{file}index.html" in files or file in files, (name, link)
    for name in files:
        if name.endswith("occurrences.json"):
            for one in json.loads(files[name]):
                assert one["url"].removeprefix("/desk/") + "index.html" in files


def test_a_site_has_the_months_from_the_first_to_the_last_date(tmp_path: Path) -> None:
    """With the one in which it was published, from which the others are reached."""
    events = "events:\n  one: {{summary: One, start: {}}}\n  two: {{summary: Two, start: {}}}\n"
    head = "name: A calendar\ntime_zone: Pacific/Kiritimati\n"
    dates = {
        "around": ("2030-03-31 23:30", "2030-08-01"),
        "coming": ("2030-12-31", "2031-02-01 00:10"),
        "over": ("2012-01-01", "2029-12-31"),
    }
    files = {
        f"events/{name}.yaml": (head + events.format(*days)).encode()
        for name, days in dates.items()
    }
    now = datetime(2030, 5, 10, 12, tzinfo=UTC)
    database = migrated_sqlite(tmp_path)
    publish(database, read_definitions(files), now, URL)
    written = dict(make_site(database, URL, now))
    database.close()

    def chosen(calendar: str, view: str) -> list[str]:
        name = rf"calendars/{calendar}/index\.{view}\.([-\d]+)\.html"
        return sorted(found[1] for one in written if (found := re.fullmatch(name, one)))

    assert chosen("around", "month") == [f"2030-0{month}" for month in range(3, 9)]
    assert chosen("around", "year") == ["2030"]
    assert chosen("coming", "month")[0::9] == ["2030-05", "2031-02"]
    assert len(chosen("coming", "month")) == 10
    assert chosen("coming", "year") == ["2030", "2031"]
    assert chosen("over", "month") == chosen("over", "year") == []
    for name in written:
        if name.endswith(".html"):
            for link in Links(written[name]).targets:
                if (target := urljoin(f"{URL}/{name}", link)).startswith(URL):
                    file = target.removeprefix(f"{URL}/").partition("#")[0]
                    assert f"{file}index.html" in written or file in written, (name, link)


def test_a_private_calendar_is_nowhere_in_a_site_and_is_printed_by_its_name(site: Site) -> None:
    site.write("quiet-talks.yaml", SECRET)
    site.do("publish")
    site.do("export", "public")
    for name, body in tree(site.folder / "public").items():
        for word in ("quiet-talks", "quiet talks", "backchannel", "curtain"):
            assert word not in name
            assert word.encode() not in body.lower(), name
    assert "Behind the curtain" not in site.do("export", "--all")
    printed = site.do("export", "--calendar", "quiet-talks")
    assert "SUMMARY;LANGUAGE=en:Behind the curtain" in printed
    assert "SOURCE" not in printed


def test_a_feed_is_printed_as_the_site_has_it(served: Site) -> None:
    def printed(*words: str) -> bytes:
        return served.do("export", *words).encode().replace(b"\n", b"\r\n")

    files = tree(served.folder / "public")
    assert printed("--all") == files["calendars.ics"]
    assert printed("--calendar", "un-observances") == files["calendars/un-observances.ics"]
    chosen = unfold(printed("--calendar", "un-observances", "--lang", "ur", "--no-alarms"))
    file = unfold(files["calendars/un-observances.ur.no-alarms.ics"])
    sources = [line for line in chosen if line not in file]
    assert [line.partition(b"?")[2] for line in sources] == [b"lang=ur&alarms=0"]


def test_under_a_former_name_a_calendar_is_there_as_well(site: Site) -> None:
    site.do("export", "public", "--ledger", "ledger.json")
    text = (site.events / "un-observances.yaml").read_text("utf-8")
    site.write("un-days.yaml", f"{text}\nformerly: [un-observances]\n")
    (site.events / "un-observances.yaml").unlink()
    site.do("export", "public", "--ledger", "ledger.json")
    files = tree(site.folder / "public")
    old = {name for name in files if "un-observances" in name}
    assert "calendars/un-observances.ur.ics" in old
    assert "calendars/un-observances/un-day/index.html" in old
    for name in old:
        assert files[name] == files[name.replace("un-observances", "un-days")]


def test_a_date_that_moves_between_two_runs_without_a_database(site: Site) -> None:
    """Exactly one VEVENT differs, with SEQUENCE 1, and everything tells of the move."""
    words = ("export", "public", "--ledger", "kept/ledger.json", "--base-url", URL)
    site.do(*words)
    ledger = site.folder / "kept" / "ledger.json"
    before, kept = tree(site.folder / "public"), ledger.read_bytes()
    assert "nothing to publish" in site.do(*words)
    assert tree(site.folder / "public") == before
    assert ledger.read_bytes() == kept
    sorted_text = json.dumps(json.loads(kept), ensure_ascii=False, indent=1, sort_keys=True)
    assert kept.decode() == sorted_text + "\n", "it can be compared line by line"

    site.edit("afghan-refugees-pakistan.yaml", "start: 2025-06-30", "start: 2025-09-30")
    moved = "moved from 30 June 2025 to 30 September 2025"
    assert f"> afghan-refugees-pakistan/stay-ends: {moved}" in site.do(*words)
    after = tree(site.folder / "public")
    assert not (site.folder / "var").exists()
    assert list(ledger.parent.iterdir()) == [ledger]
    for name in ("calendars.ics", "calendars/afghan-refugees-pakistan.ics"):
        head, vevents, tail = split_feed(before[name])
        new_head, new_vevents, new_tail = split_feed(after[name])
        assert (new_head, new_tail, list(new_vevents)) == (head, tail, list(vevents))
        (uid,) = [uid for uid in vevents if new_vevents[uid] != vevents[uid]]
        assert b"SEQUENCE:0\r\n" in vevents[uid]
        assert b"SEQUENCE:1\r\n" in new_vevents[uid]
    for name in after.keys() - {"changes.atom", "calendars.ics"}:
        if "afghan" not in name and name.endswith((".ics", ".json", ".atom", ".csv", ".jcal")):
            assert after[name] == before[name] or name.startswith("calendars."), name
    page = after["calendars/afghan-refugees-pakistan/stay-ends/index.html"].decode()
    assert "30 June 2025" in page[page.index('id="history"') :]
    assert b": moved" in after["changes.atom"]


def test_definitions_with_a_problem_or_that_would_lose_a_calendar_change_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A calendar is lost only where that is meant."""
    words = ("export", "public", "--ledger", "ledger.json")
    site.do(*words)
    before, kept = tree(site.folder / "public"), (site.folder / "ledger.json").read_bytes()
    broken: Callable[[], None] = partial(
        site.edit, "un-observances.yaml", "2024-10-24", "2024-10-42"
    )
    for spoil, said in (
        (broken, "2024-10-42"),
        ((site.events / "un-observances.yaml").unlink, "calfeed export … --allow-removals"),
    ):
        spoil()
        code, complaint = complaint_of(site, " ".join(words[1:]), monkeypatch)
        assert code == 1
        assert said in complaint
        assert tree(site.folder / "public") == before
        assert (site.folder / "ledger.json").read_bytes() == kept
    site.do(*words, "--allow-removals")
    assert not [name for name in tree(site.folder / "public") if "un-observances" in name]


def test_a_folder_that_holds_anything_else_is_left_alone(site: Site) -> None:
    site.do("publish")
    public = site.folder / "public"
    public.mkdir()
    asked = site.ask("export", "public")
    assert asked == {"folder": "public", "files": len(tree(public)) - 1, "published": None}
    (public / "CNAME").write_text("dates.example.org\n")
    assert "a file that no export wrote (CNAME)" in site.run("export", "public").stderr
    assert (public / "CNAME").exists()
    (public / "CNAME").unlink()
    (public / "calendars.ics").write_text("spoilt")
    site.do("export", "public")
    assert (public / "calendars.ics").read_text("utf-8").startswith("BEGIN:VCALENDAR")
    hidden = {".", "..", ".local", ".cache", ".config"}
    assert not [one for one in site.folder.glob(".*") if one.name not in hidden]


def complaint_of(site: Site, words: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """The exit code and what is said, without the time that a process of its own takes."""
    monkeypatch.chdir(site.folder)
    done = CliRunner().invoke(export, words.split())
    if isinstance(done.exception, CalfeedError):
        return 1, str(done.exception)
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "EOF"), ('{"format": 2}', "format"), ('{"format": 1, "publishes": ["x"]}', "publishes")],
)
def test_a_file_that_is_no_ledger_is_named_and_left_alone(
    served: Site, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    (served.folder / "odd.json").write_text(text)
    code, complaint = complaint_of(served, "odd --ledger odd.json", monkeypatch)
    assert code == 1
    assert complaint.startswith("odd.json: this is not a ledger")
    assert said in complaint
    assert (served.folder / "odd.json").read_text() == text
    assert not (served.folder / "odd").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("", 2, "Give exactly one of DIR"),
        ("public --all", 2, "Give exactly one of DIR"),
        ("public --lang ur", 2, "--lang"),
        ("--all --json", 2, "--json"),
        ("--all --allow-removals", 2, "--ledger"),
        ("--calendar none", 1, 'no published calendar "none"; there are afghan'),
        ("--all --lang Urdu!", 1, "lang=Urdu! is not a language"),
        ("public --base-url example.org", 1, "--base-url"),
        ("public --base-url https://example.org/?a=1", 1, "without ? and #"),
        ("events", 1, "is not empty and not an earlier export"),
        ("events/un-observances.yaml", 1, "is not a folder"),
    ],
)
def test_a_command_used_wrongly(
    served: Site, monkeypatch: pytest.MonkeyPatch, words: str, code: int, said: str
) -> None:
    found, complaint = complaint_of(served, words, monkeypatch)
    assert found == code
    assert said in complaint


def test_each_page_is_there_in_each_language_and_leads_to_the_others(served: Site) -> None:
    files = tree(served.folder / "public")
    event = "calendars/un-observances/un-day/index"
    for suffix, direction in ((".html", "ltr"), (".ur.html", "rtl"), (".fa-AF.html", "rtl")):
        page = files[event + suffix].decode()
        assert f'dir="{direction}"' in page.partition("<head>")[0]
        links = Links(files[event + suffix]).targets
        assert f"/{event}.ps.html" in links
        assert f"/{event.removesuffix('index')}" in links
    assert "/calendars/un-observances/un-day.ur.ics" in Links(files[f"{event}.ur.html"]).targets
    calendar = files["calendars/un-observances/index.ur.html"].decode()
    assert "/embed/un-observances/index.ur.html&#34;" in calendar
