"""The options of `endpoint add` and `endpoint update`: what an endpoint gets, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import click

from calfeed.cli.secret_inputs import from_file
from calfeed.definitions.formats.zone_names import check_zone
from calfeed.delivery.transport.headers import change_headers, parse_headers
from calfeed.errors import InvalidInputError
from calfeed.reminders.filters import Filters
from calfeed.reminders.option_texts import parse_digest, parse_quiet
from calfeed.reminders.options import Options
from calfeed.store.database import Connection
from calfeed.store.endpoints.endpoints import Endpoint
from calfeed.store.endpoints.filter_names import find_slips

Command = TypeVar("Command", bound=Callable[..., Any])

FILTERS = {"calendar": "calendars", "category": "categories", "event": "events", "type": "types"}
"""What an endpoint can choose by, and what the choice is called in `Filters`."""

_SHARED = [
    click.option("--calendar", "calendars", multiple=True, help="Only this calendar; repeatable."),
    click.option("--category", "categories", multiple=True, help="Only this category; repeatable."),
    click.option("--event", "events", multiple=True, help="Only this event, as CALENDAR/EVENT."),
    click.option("--type", "types", multiple=True, help="Only this message type; repeatable."),
    click.option("--description", help="Whose it is, for your own lists."),
    click.option(
        "--header",
        "headers",
        multiple=True,
        metavar="'NAME: VALUE'",
        help="A header that goes along with every message; repeatable.",
    ),
    click.option(
        "--header-file",
        metavar="FILE",
        help="Such headers from a file, each on a line; - is standard input.",
    ),
    click.option("--rate", type=click.IntRange(1, 600_000), help="At most so many posts a minute."),
    click.option("--time-zone", metavar="ZONE", help="The zone of --quiet and --digest; or UTC."),
    click.option("--quiet", metavar="HH:MM-HH:MM", help="Send nothing in these hours."),
    click.option(
        "--digest",
        metavar="DAY@HH:MM",
        help="Gather reminders, and send them daily@09:00, or monday@09:00.",
    ),
]

_LIFTING = [
    click.option("--url", help="Another URL."),
    click.option(
        "--every",
        multiple=True,
        type=click.Choice(list(FILTERS)),
        help="Lift this restriction: every calendar, say, once more; repeatable.",
    ),
    click.option("--no-header", "no_headers", multiple=True, metavar="NAME", help="Not this one."),
    click.option("--no-rate", is_flag=True, help="As fast as it takes them."),
    click.option("--no-quiet", is_flag=True, help="At every hour."),
    click.option("--no-digest", is_flag=True, help="Each reminder by itself."),
]


def for_adding(command: Command) -> Command:
    """Give a command the options of a new endpoint, as keyword arguments."""
    return _decorate(command, _SHARED)


def for_changing(command: Command) -> Command:
    """Give a command those and the ones that take back what is there."""
    return _decorate(command, [*_SHARED, *_LIFTING])


def _decorate(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def change(endpoint: Endpoint, given: Mapping[str, Any]) -> Endpoint:
    """The endpoint with what `given`, the keyword arguments of a command, has of it.

    Raises InvalidInputError for what makes no sense, UsageError for what contradicts itself. The
    URL and the names in filters are not checked.
    """
    described = given["description"]
    return replace(
        endpoint,
        filters=_change_filters(endpoint.filters, given),
        options=_change_options(endpoint.options, given),
        headers=change_headers(
            endpoint.headers, parse_headers(_list_headers(given)), given.get("no_headers", ())
        ),
        description=endpoint.description if described is None else described,
    )


def _list_headers(given: Mapping[str, Any]) -> list[str]:
    """The lines that give headers, on the command line and in a file."""
    file = given["header_file"]
    more = from_file(file).splitlines() if file is not None else []
    return [*given["headers"], *(line for line in more if line.strip())]


def _change_filters(filters: Filters, given: Mapping[str, Any]) -> Filters:
    lifted = [FILTERS[kind] for kind in given.get("every", ())]
    for kind, name in FILTERS.items():
        if given[name] and name in lifted:
            raise click.UsageError(f"either --{kind} or --every {kind}, not both")
    chosen = {name: given[name] for name in FILTERS.values() if given[name] or name in lifted}
    return filters.model_copy(update=chosen)


def _change_options(options: Options, given: Mapping[str, Any]) -> Options:
    changed = options.model_dump()
    for name, read in (("rate", int), ("quiet", parse_quiet), ("digest", parse_digest)):
        lifted = given.get(f"no_{name}", False)
        if given[name] is not None and lifted:
            raise click.UsageError(f"either --{name} or --no-{name}, not both")
        if given[name] is not None or lifted:
            changed[name] = None if lifted else read(given[name])
    if given["time_zone"] is not None:
        try:
            changed["time_zone"] = check_zone(given["time_zone"])
        except ValueError as error:
            raise InvalidInputError(str(error)) from error
    return Options.model_validate(changed)


def check_filters(connection: Connection, filters: Filters) -> None:
    """Refuse a filter that nothing could ever pass because of a slip, with InvalidInputError."""
    problems = [slip.message for slip in find_slips(connection, filters)]
    if problems:
        raise InvalidInputError("\n".join(problems))
