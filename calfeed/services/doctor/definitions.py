"""The definitions folder: whether it is there, can be read, and is valid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from calfeed.counting import count
from calfeed.definitions.files import load_definitions
from calfeed.definitions.result import Definitions
from calfeed.errors import DefinitionError
from calfeed.model.site import DEFAULT_SITE
from calfeed.model.values import text_in
from calfeed.services.doctor.findings import Finding, ok, problem, warning
from calfeed.services.starting.folder import has_calendars

_DEFINITIONS, _SITE = "definitions", "site"
_MAX_SHOWN = 3


def check_definitions(events: Path, today: date, *, published: bool) -> Iterator[Finding]:
    """Read a definitions folder. `published` is whether something was published before."""
    if not has_calendars(events):
        yield judge_absence(events, published=published)
        return
    try:
        defined = load_definitions(events, today=today)
    except DefinitionError as error:
        yield judge_problems(error)
        return
    yield judge_definitions(events, defined)
    yield judge_site(defined)


def judge_absence(events: Path, *, published: bool) -> Finding:
    """Judge a folder without calendars.

    This is only a warning if something was published: a machine that only serves or sends needs no
    definitions.
    """
    text = f"{events} does not exist, or has no calendar"
    if published:
        return warning(_DEFINITIONS, text, "nothing can be published from here")
    return problem(_DEFINITIONS, text, "run `calfeed init`, or name the folder with CALFEED_EVENTS")


def judge_problems(error: DefinitionError) -> Finding:
    """Show the first problems of definitions."""
    shown = " / ".join(str(each) for each in error.problems[:_MAX_SHOWN])
    return problem(
        _DEFINITIONS,
        f"{count(len(error.problems), 'problem')}: {shown}",
        "`calfeed check` shows all problems; nothing is published until they are corrected",
    )


def judge_definitions(events: Path, defined: Definitions) -> Finding:
    """Count calendars, events and warnings of valid definitions."""
    events_count = sum(len(calendar.events) for calendar in defined.calendars)
    text = (
        f"{events} is valid: {count(len(defined.calendars), 'calendar')}, "
        f"{count(events_count, 'event')}"
    )
    if defined.warnings:
        warnings = count(len(defined.warnings), "warning")
        return warning(_DEFINITIONS, f"{text}, {warnings}", "`calfeed check` shows them")
    return ok(_DEFINITIONS, text)


def judge_site(defined: Definitions) -> Finding:
    """Judge whether the site has a name of its own."""
    site = defined.site
    if site == DEFAULT_SITE or site.name is None:
        return warning(_SITE, "the pages have no name of their own", "write one into site.yaml")
    name = text_in(site.name, site.language)
    return ok(_SITE, f"{name}, in {', '.join(site.languages)}")
