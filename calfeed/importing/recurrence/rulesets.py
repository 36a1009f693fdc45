"""Convert RRULE, EXRULE and RDATE of an event to one rule and additional dates.

iCalendar allows more than definitions: several rules, exception rules (EXRULE, RFC 2445), and a
start that its rule does not include. The dates of such a set are listed if it is finite.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from calfeed.counting import count
from calfeed.definitions.recurrence.app_compatibility import accept_rule
from calfeed.importing.recurrence.foreign_rules import normal_rule, parse_any_rule
from calfeed.importing.times.property_times import Moment
from calfeed.importing.vevents import Draft
from calfeed.model.dates.wall_times import moment_at, wall_time
from calfeed.model.dates.years import LAST_YEAR
from calfeed.model.recurrences import Rule, StepBudget

_MAX_WRITTEN_DATES = 1_000
_STEPS_OF_EMPTY_RULE = 1_000
"""The cost, in steps, of finding that a rule has no dates."""
_LAST_WALL_TIME = datetime(LAST_YEAR, 12, 31)  # noqa: DTZ001 (a wall time)


@dataclass
class DateSet:
    """A start, an optional rule, and `others`: the dates that are not from the rule."""

    start: Moment
    rule: Rule | None = None
    others: set[Moment] = field(default_factory=set)

    def dates_until(self, last: datetime, steps: StepBudget) -> set[Moment]:
        """Return all dates of the set; dates of the rule only up to `last`."""
        return {self.start, *self.others} | (_dates(self.rule, last, self.start, steps))

    def dates_to_the_end(self, steps: StepBudget) -> set[Moment] | None:
        """Return all dates of the set, None if its rule is endless."""
        if self.rule is not None and self.rule.count is None and self.rule.until is None:
            return None
        return self.dates_until(_LAST_WALL_TIME, steps)


def find_dates(draft: Draft, rdates: set[Moment], steps: StepBudget) -> DateSet:
    """Return the dates of an event before exclusions.

    Unsupported sets are converted or reduced, and reported.
    """
    start, report = draft.start, draft.report
    rules, exception_rules = (_rules(draft, name) for name in ("RRULE", "EXRULE"))
    if not rules:
        if exception_rules:
            report("EXRULE", "is not kept: there is no rule from which it could exclude dates")
        return from_dates({start, *rdates})
    reason = "calfeed supports a single rule, and no rules of exceptions"
    if len(rules) == 1 and not exception_rules:
        try:
            rule = accept_rule(rules[0], start)
        except ValueError as error:
            reason = str(error)
        else:
            if all(each >= start for each in rdates):
                return _with_rule(start, rule, rdates, steps)
            reason = "RDATE has a date before the start"
    dates = _list_dates(rules, exception_rules, start, steps)
    if dates is not None and len(dates | rdates) <= _MAX_WRITTEN_DATES:
        report("RRULE", f"is written out, as {count(len(dates), 'date')}", reason)
        return from_dates(dates | rdates)
    moved = _move_start(rules, exception_rules, start)
    if moved is not None:
        moved.others = {each for each in rdates if each > moved.start}
        lost = sorted({start, *rdates} - moved.others - {moved.start})
        without = f"{reason}; it is then without {', '.join(map(str, lost))}"
        report("RRULE", "begins with the first date of the rule", without)
        return moved
    report("RRULE", "is not kept", reason)
    return from_dates({start, *rdates})


def _with_rule(start: Moment, rule: Rule, rdates: set[Moment], steps: StepBudget) -> DateSet:
    last = max(map(wall_time, rdates), default=rule.start)
    return DateSet(start, rule, rdates - {start} - _dates(rule, last, start, steps))


def from_dates(dates: Iterable[Moment]) -> DateSet:
    """Return the set of these dates (at least one) without a rule."""
    first, *others = sorted(dates)
    return DateSet(first, None, set(others))


def _rules(draft: Draft, name: str) -> list[str]:
    rules = (
        normal_rule(prop.value, draft.start, draft.zone, draft.report)
        for prop in draft.component.all(name)
    )
    return list(filter(None, rules))


def _dates(rule: Rule | None, last: datetime, like: Moment, steps: StepBudget) -> set[Moment]:
    walls = rule.starts(last) if rule else []
    steps.spend(len(walls))
    return {moment_at(wall, like) for wall in walls}


def _list_dates(
    rules: list[str], exception_rules: list[str], start: Moment, steps: StepBudget
) -> set[Moment] | None:
    """Return all dates of the rules, if they are finite."""
    dates = {start}
    for rule in [parse_any_rule(text, start) for text in rules]:
        if rule is None:
            steps.spend(_STEPS_OF_EMPTY_RULE)
        if rule is None or (rule.count is None and rule.until is None):
            return None
        dates |= _dates(rule, _LAST_WALL_TIME, start, steps)
    for rule in [parse_any_rule(text, start) for text in exception_rules]:
        if rule is None:
            return None
        dates -= _dates(rule, max(map(wall_time, dates), default=_LAST_WALL_TIME), start, steps)
    return dates or None


def _move_start(rules: list[str], exception_rules: list[str], start: Moment) -> DateSet | None:
    """Return a set that starts with the first date of a rule that does not include `start`."""
    if len(rules) != 1 or exception_rules:
        return None
    rule = parse_any_rule(rules[0], start)
    first = rule.first_start() if rule is not None and rule.count is None else None
    if first is None:
        return None
    moment = moment_at(first, start)
    try:
        return DateSet(moment, accept_rule(rules[0], moment))
    except ValueError:
        return None
