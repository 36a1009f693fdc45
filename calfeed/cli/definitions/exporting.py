"""`export`: write a static site, or print a feed, with or without a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import click

from calfeed.cli import output
from calfeed.cli.definitions.atomic_files import replace_file, replacing_folder
from calfeed.cli.definitions.ledger_file import read_ledger_file
from calfeed.counting import count
from calfeed.definitions.files import load_definitions
from calfeed.errors import CalfeedError, InvalidInputError, NotFoundError, PublishRefusedError
from calfeed.ical.vtodo import render_tasks
from calfeed.model.texts import check_url
from calfeed.publish import apply, ledger, show
from calfeed.publish.plan import Plan
from calfeed.services.publishing import fill_ledger
from calfeed.setting_checks import make_sqlite_url
from calfeed.settings import Settings, load_settings
from calfeed.store.catalog.installation import load_uid_scheme
from calfeed.store.database import Database
from calfeed.store.migrate import migrate
from calfeed.web.feeds.assembly import make_heading
from calfeed.web.feeds.feed_options import parse_feed_options
from calfeed.web.pages.export import make_site
from calfeed.web.pictures.rendering import can_draw
from calfeed.web.published.calendars import PublishedCalendar
from calfeed.web.published.snapshot import ALL, Snapshot, load_snapshot


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option("--base-url", help="The site's URL; default: CALFEED_PUBLIC_URL.")
@click.option("--calendar", help="Print the feed of this calendar, even if it is private.")
@click.option("--all", "everything", is_flag=True, help="Print the feed of all public calendars.")
@click.option("--lang", default="", help="With --calendar or --all: the language, such as ur.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["ics", "vtodo"]),
    default="ics",
    help="With --calendar: the feed (ics), or its deadlines as tasks (vtodo).",
)
@click.option("--no-alarms", is_flag=True, help="With --calendar or --all: leave out alarms.")
@click.option(
    "--pictures",
    is_flag=True,
    help="With DIR: make a picture for each page. Apps show it when they preview a link.",
)
@click.option(
    "--ledger",
    "ledger_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Publish CALFEED_EVENTS to this file, instead of to the database, and export the result.",
)
@click.option(
    "--allow-removals",
    is_flag=True,
    help="With --ledger: publish even if that withdraws a calendar or most of its coming events.",
)
@output.as_json
def export(
    folder: Path | None,
    base_url: str | None,
    calendar: str | None,
    everything: bool,
    lang: str,
    style: str,
    no_alarms: bool,
    pictures: bool,
    ledger_file: Path | None,
    allow_removals: bool,
    as_json: bool,
) -> None:
    """Write all public calendars as a static site to DIR, or print one feed.

    Replaces DIR as a whole; it must be new, empty or an earlier export. A site never contains
    private calendars.
    """
    if sum([folder is not None, calendar is not None, everything]) != 1:
        raise click.UsageError("Give exactly one of DIR, --calendar and --all.")
    if folder is not None and (lang or no_alarms):
        raise click.UsageError("--lang and --no-alarms require --calendar or --all.")
    if style == "vtodo" and (calendar is None or lang or no_alarms):
        raise click.UsageError(
            "--format vtodo requires --calendar, without --lang and --no-alarms."
        )
    if folder is None and as_json:
        raise click.UsageError("--json goes with DIR; a feed cannot be printed as JSON.")
    if pictures and folder is None:
        raise click.UsageError("--pictures goes with DIR.")
    if pictures and not can_draw():
        raise InvalidInputError("--pictures needs more: pip install 'calfeed[pictures]'")
    if allow_removals and ledger_file is None:
        raise click.UsageError("--allow-removals requires --ledger.")
    settings = load_settings()
    address = settings.base_url if base_url is None else _check_base_url(base_url)
    with _published(settings, address, ledger_file, allow_removals) as state:
        if folder is None:
            query = urlencode({"lang": lang, "alarms": "0" if no_alarms else "1"})
            if style == "vtodo":
                feed = _make_tasks(state.database, address, calendar or "")
            else:
                feed = _make_feed(state.database, address, calendar, query)
            state.save_ledger()
            click.echo(feed, nl=False)
            return
        with replacing_folder(folder) as new_folder:
            files = _write_site(state.database, address, settings.time_zone, new_folder, pictures)
            # Before the site, because the ledger must include every revision that was public.
            state.save_ledger()
    _report(folder, files, state.plan, as_json)
    if base_url is None and settings.public_url is None:
        click.echo(f"The site's URL is {address}; --base-url sets another.", err=True)


@dataclass(frozen=True)
class _Published:
    """A database with the published state; with a ledger, also the plan and the ledger's text."""

    database: Database
    plan: Plan | None = None
    ledger_file: Path | None = None
    ledger_text: str = ""

    def save_ledger(self) -> None:
        if self.ledger_file is not None:
            replace_file(self.ledger_file, self.ledger_text)


@contextmanager
def _published(
    settings: Settings, base_url: str, ledger_file: Path | None, allow_removals: bool
) -> Iterator[_Published]:
    if ledger_file is None:
        with output.opened(settings) as database:
            yield _Published(database)
        return
    before = read_ledger_file(ledger_file)
    now = output.now()
    with (
        TemporaryDirectory(prefix="calfeed-") as folder,
        closing(Database(make_sqlite_url(Path(folder, "ledger.sqlite3")))) as database,
    ):
        migrate(database)
        fill_ledger(database, before)
        with database.read() as connection:
            uids = load_uid_scheme(connection)
        defined = load_definitions(settings.events, uids=uids, today=now.date())
        try:
            plan = apply.publish(database, defined, now, base_url, allow_removals=allow_removals)
        except PublishRefusedError as error:
            raise CalfeedError(error.with_command("calfeed export …")) from error
        with database.read() as connection:
            after = ledger.extend(connection, before, plan, now)
        yield _Published(database, plan, ledger_file, ledger.write_ledger(after))


def _check_base_url(text: str) -> str:
    try:
        url = check_url(text)
    except ValueError as error:
        raise InvalidInputError(f"--base-url {error}") from error
    if "?" in url or "#" in url:
        raise InvalidInputError(f'--base-url "{url}" must end with a path, without ? and #')
    return url.rstrip("/")


def _make_feed(database: Database, base_url: str, calendar: str | None, query: str) -> bytes:
    snapshot = load_snapshot(database, base_url, output.now())
    options = parse_feed_options(query)
    year = snapshot.version.year
    if calendar is None:
        return snapshot.sources[ALL].make_body(options, year)
    published = _find_calendar(snapshot, calendar)
    return published.source.make_body(options, year, source=published.public)


def _make_tasks(database: Database, base_url: str, calendar: str) -> bytes:
    found = _find_calendar(load_snapshot(database, base_url, output.now()), calendar)
    address = f"{base_url}/calendars/{found.calendar.slug}.todo.ics" if found.public else None
    heading = make_heading(found.calendar, address)
    return render_tasks(heading, (row.revision for row in found.rows))


def _find_calendar(snapshot: Snapshot, calendar: str) -> PublishedCalendar:
    published = snapshot.all_calendars.get(snapshot.renamed.get(calendar, calendar))
    if published is None:
        known = ", ".join(sorted(snapshot.all_calendars)) or "none yet"
        raise NotFoundError("published calendar", calendar, f"there are {known}")
    return published


def _write_site(
    database: Database, base_url: str, time_zone: str, folder: Path, pictures: bool
) -> int:
    files = 0
    for path, body in make_site(database, base_url, output.now(), time_zone, pictures=pictures):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        files += 1
    return files


def _report(folder: Path, files: int, plan: Plan | None, as_json: bool) -> None:
    # Without reminders, because a static site sends none.
    shown = None if plan is None else replace(plan, planned=(), withdrawn=())
    if as_json:
        summary = None if shown is None else show.summarize(shown)
        output.print_json({"folder": str(folder), "files": files, "published": summary})
        return
    if shown is not None:
        click.echo(show.show_text(shown))
        output.print_findings(shown.warnings)
    click.echo(f"{count(files, 'file')} in {folder}")
