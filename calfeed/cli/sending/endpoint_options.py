"""The options of `endpoint add` and `endpoint update`: what an endpoint gets, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from calfeed.cli.secret_inputs import from_file, read_url
from calfeed.reminders.options import MAX_RATE
from calfeed.services.endpoints import EndpointValues

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
    click.option(
        "--rate", type=click.IntRange(1, MAX_RATE), help="At most so many posts a minute."
    ),
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


def read_values(given: Mapping[str, Any]) -> EndpointValues:
    """What the keyword arguments of a command give of an endpoint.

    Raises UsageError for what contradicts itself.
    """
    url = given["url"]
    return EndpointValues(
        url=None if url is None else read_url(url),
        description=given["description"],
        filters=_read_filters(given),
        options=_read_options(given),
        headers=_list_headers(given),
        removed_headers=given.get("no_headers", ()),
    )


def _list_headers(given: Mapping[str, Any]) -> list[str]:
    """The lines that give headers, on the command line and in a file."""
    file = given["header_file"]
    more = from_file(file).splitlines() if file is not None else []
    return [*given["headers"], *(line for line in more if line.strip())]


def _read_filters(given: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    lifted = [FILTERS[kind] for kind in given.get("every", ())]
    for kind, name in FILTERS.items():
        if given[name] and name in lifted:
            raise click.UsageError(f"either --{kind} or --every {kind}, not both")
    return {name: given[name] for name in FILTERS.values() if given[name] or name in lifted}


def _read_options(given: Mapping[str, Any]) -> dict[str, Any]:
    options = {}
    for name in ("rate", "quiet", "digest", "time_zone"):
        lifted = given.get(f"no_{name}", False)
        if given[name] is not None and lifted:
            raise click.UsageError(f"either --{name} or --no-{name}, not both")
        if given[name] is not None or lifted:
            options[name] = given[name]
    return options
