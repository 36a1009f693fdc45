"""How `serve` begins: with a database that is up to date, and what a person wants to know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from pydantic import SecretStr

from calfeed.cli import output
from calfeed.counting import count
from calfeed.errors import StoreError
from calfeed.publish.plan import HORIZON
from calfeed.publish.windows import Planned, load_window
from calfeed.services.installation import make_ready
from calfeed.services.sessions import LINK_LASTING, make_link
from calfeed.settings import Settings
from calfeed.store.catalog.calendars import load_calendars
from calfeed.store.catalog.visibility import is_public
from calfeed.store.database import Database


def prepare(database: Database, say: Callable[[str], None]) -> None:
    """Bring a database up to date; one that cannot be written to will do as it is.

    Raises StoreError where it cannot be used for reading either.
    """
    if (reason := make_ready(database)) is not None:
        say(
            f"{reason}\nThe feeds are served as they were published last. Nothing is published, "
            "and no reminder is sent, until the database can be written to"
        )


def describe_start(database: Database, settings: Settings) -> Iterator[str]:
    """What a person wants to know first: where the pages and public feeds are, what fires next."""
    with database.read() as connection:
        rows = load_calendars(connection).values()
        public = [row.slug for row in rows if not row.withdrawn and is_public(connection, row.slug)]
    yield f"pages    {settings.base_url}/"
    yield f"feeds    {settings.base_url}/calendars.ics"
    for slug in public:
        yield f"         {settings.base_url}/calendars/{slug}.ics"
    now = output.now()
    coming = load_window(database, now, now + HORIZON)
    yield f"next     {_describe_first(coming)}"


def _describe_first(coming: list[Planned]) -> str:
    if not coming:
        return f"no reminder within {HORIZON // timedelta(days=1)} days"
    first = coming[0].reminder
    due = first.due.astimezone(first.event.zone)
    # By its names, not its title, which may be a private calendar's.
    event = f"{first.event.calendar}/{first.event.slug}"
    endpoints = count(len(coming[0].endpoints), "endpoint")
    return f"{due:%Y-%m-%d %H:%M %Z}: {event}, {first.rule}, to {endpoints}"


def describe_console(
    database: Database, settings: Settings, made: SecretStr | None
) -> Iterator[str]:
    """How to sign in to the console; `made` is the admin token where it was made for this run."""
    try:
        yield f"console  {make_link(database, settings.base_url, output.now())}"
        yield f"         signs in one person, within {LINK_LASTING // timedelta(minutes=1)} minutes"
    except StoreError:
        yield f"console  {settings.base_url}/console/"
        yield "         wants the admin token: a link would have to be written to the database"
    if made is not None:
        yield f"token    {made.get_secret_value()}"
        yield "         is the admin token of this run; CALFEED_ADMIN_TOKEN sets a lasting one"
