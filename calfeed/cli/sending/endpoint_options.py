"""The shared options of `endpoint add` and `endpoint update`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from calfeed.cli.secret_inputs import from_file, read_url
from calfeed.reminders.options import OPTIONS
from calfeed.services.endpoints import EndpointValues

Command = TypeVar("Command", bound=Callable[..., Any])

FILTERS = {"calendar": "calendars", "category": "categories", "event": "events", "type": "types"}
"""The fields of `Filters` by the name of their option."""


def _flag(name: str) -> str:
    return name.replace("_", "-")


def _option(name: str) -> Callable[[Command], Command]:
    option = OPTIONS[name]
    kind = None if option.maximum is None else click.IntRange(1, option.maximum)
    return click.option(
        f"--{_flag(name)}", name, type=kind, metavar=option.metavar, help=option.help
    )


_SHARED = [
    click.option("--calendar", "calendars", multiple=True, help="Only this calendar; repeatable."),
    click.option("--category", "categories", multiple=True, help="Only this category; repeatable."),
    click.option(
        "--event", "events", multiple=True, help="Only this event, as CALENDAR/EVENT; repeatable."
    ),
    click.option("--type", "types", multiple=True, help="Only this message type; repeatable."),
    click.option("--description", help="Who the endpoint belongs to; for your own reference."),
    click.option(
        "--header",
        "headers",
        multiple=True,
        metavar="'NAME: VALUE'",
        help="A header to send with every message; repeatable.",
    ),
    click.option(
        "--header-file",
        metavar="FILE",
        help="A file with such headers, one per line; - is standard input.",
    ),
    *map(_option, OPTIONS),
]

_UPDATE_ONLY = [
    click.option("--url", help="The new URL."),
    click.option(
        "--every",
        multiple=True,
        type=click.Choice(list(FILTERS)),
        help="Remove this filter; `--every calendar` means all calendars again. Repeatable.",
    ),
    click.option(
        "--no-header", "no_headers", multiple=True, metavar="NAME", help="Remove this header."
    ),
    *(
        click.option(f"--no-{_flag(name)}", f"no_{name}", is_flag=True, help=option.removal)
        for name, option in OPTIONS.items()
        if option.removal
    ),
]


def add_options(command: Command) -> Command:
    """Add the options of a new endpoint to a command, as keyword arguments."""
    return _decorate(command, _SHARED)


def update_options(command: Command) -> Command:
    """Add the options of `add_options` to a command, and options that remove values."""
    return _decorate(command, [*_SHARED, *_UPDATE_ONLY])


def _decorate(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def read_values(given: Mapping[str, Any]) -> EndpointValues:
    """Read the endpoint values of a command's keyword arguments.

    Raises UsageError for contradictory options.
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
    """Return the header lines of `--header` and of the file of `--header-file`."""
    file = given["header_file"]
    lines = from_file(file).splitlines() if file is not None else []
    return [*given["headers"], *(line for line in lines if line.strip())]


def _read_filters(given: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    removed = [FILTERS[kind] for kind in given.get("every", ())]
    for kind, name in FILTERS.items():
        if given[name] and name in removed:
            raise click.UsageError(f"give either --{kind} or --every {kind}, not both")
    return {name: given[name] for name in FILTERS.values() if given[name] or name in removed}


def _read_options(given: Mapping[str, Any]) -> dict[str, Any]:
    options = {}
    for name in OPTIONS:
        removed = given.get(f"no_{name}", False)
        if given[name] is not None and removed:
            raise click.UsageError(f"give either --{_flag(name)} or --no-{_flag(name)}, not both")
        if given[name] is not None or removed:
            options[name] = given[name]
    return options
