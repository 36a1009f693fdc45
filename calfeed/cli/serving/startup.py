"""The start of `serve`: migrate the database, print URLs, next reminder and sign-in link."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from pydantic import SecretStr

from calfeed.cli import output
from calfeed.counting import count
from calfeed.errors import StoreError
from calfeed.publish.plan import HORIZON
from calfeed.publish.windows import Planned, load_window
from calfeed.services.installation import migrate_if_writable
from calfeed.services.sessions import LINK_LIFETIME, make_link
from calfeed.settings import Settings
from calfeed.store.catalog.calendars import load_calendars
from calfeed.store.catalog.visibility import is_public
from calfeed.store.database import Database


def migrate_database(database: Database, echo: Callable[[str], None]) -> None:
    """Migrate a database, or report that it is read-only. Raises StoreError if it is unreadable."""
    if (reason := migrate_if_writable(database)) is not None:
        echo(
            f"{reason}\nThe feeds are served as they were published last. Nothing is published, "
            "and no reminder is sent, until the database can be written to"
        )


def describe_start(database: Database, settings: Settings) -> Iterator[str]:
    """Yield the URLs of pages and public feeds, and the next reminder."""
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
    # Not the title, which private calendars must not reveal.
    event = f"{first.event.calendar}/{first.event.slug}"
    endpoints = count(len(coming[0].endpoints), "endpoint")
    return f"{due:%Y-%m-%d %H:%M %Z}: {event}, {first.rule}, to {endpoints}"


def describe_console(
    database: Database, settings: Settings, new_token: SecretStr | None
) -> Iterator[str]:
    """Yield how to sign in to the console; `new_token` is an admin token for this run only."""
    try:
        yield f"console  {make_link(database, settings.base_url, output.now())}"
        minutes = LINK_LIFETIME // timedelta(minutes=1)
        yield f"         signs in one person, within {minutes} minutes"
    except StoreError:
        yield f"console  {settings.base_url}/console/"
        yield "         needs the admin token, as a link cannot be stored in the database"
    if new_token is not None:
        yield f"token    {new_token.get_secret_value()}"
        yield "         is the admin token of this run; CALFEED_ADMIN_TOKEN sets a permanent one"
