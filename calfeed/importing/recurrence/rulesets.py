"""The dates on which an imported event takes place, by its RRULE, EXRULE and RDATE.

RFC 5545 allows what a definition does not: several rules, rules of exceptions (EXRULE, RFC 2445),
a start that is none of its rule's dates. Where such a set ends, its dates are written out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from calfeed.counting import count
from calfeed.definitions.recurrence.app_readings import accept_rule
from calfeed.importing.recurrence.foreign_rules import normal_rule, parse_any_rule
from calfeed.importing.times.property_times import Moment
from calfeed.importing.vevents import Draft
from calfeed.model.recurrences import Rule, Steps, wall_time
from calfeed.model.years import LAST_YEAR

_MOST_WRITTEN_OUT = 1_000
_REFUSED = 1_000
"""How many steps it takes to find that a rule gives no date."""
_FAR = datetime(LAST_YEAR, 12, 31)  # noqa: DTZ001 (a wall time)


@dataclass
class DateSet:
    """A start, a rule or none, and `others`: the dates that no rule gives."""

    start: Moment
    rule: Rule | None = None
    others: set[Moment] = field(default_factory=set)

    def dates_until(self, last: datetime, steps: Steps) -> set[Moment]:
        """All dates of the set, those of the rule up to a wall time."""
        return {self.start, *self.others} | (_dates(self.rule, last, self.start, steps))

    def dates_to_the_end(self, steps: Steps) -> set[Moment] | None:
        """All dates of the set; None where its rule has no end."""
        if self.rule is not None and self.rule.count is None and self.rule.until is None:
            return None
        return self.dates_until(_FAR, steps)


def find_dates(draft: Draft, rdates: set[Moment], steps: Steps) -> DateSet:
    """The dates of an event, before any is taken out.

    What a definition cannot say is said in another way or left out, and reported.
    """
    start, report = draft.start, draft.report
    rules, refused = (_rules(draft, name) for name in ("RRULE", "EXRULE"))
    if not rules:
        if refused:
            report("EXRULE", "is not kept: there is no rule from which it takes dates")
        return on_dates({start, *rdates})
    reason = "calfeed takes one rule, and none of exceptions"
    if len(rules) == 1 and not refused:
        try:
            rule = accept_rule(rules[0], start)
        except ValueError as error:
            reason = str(error)
        else:
            if all(each >= start for each in rdates):
                return _by_rule(start, rule, rdates, steps)
            reason = "RDATE has a date before the start"
    dates = _write_out(rules, refused, start, steps)
    if dates is not None and len(dates | rdates) <= _MOST_WRITTEN_OUT:
        report("RRULE", f"is written out, as {_counted(len(dates))}", reason)
        return on_dates(dates | rdates)
    moved = _move_start(rules, refused, start)
    if moved is not None:
        moved.others = {each for each in rdates if each > moved.start}
        lost = sorted({start, *rdates} - moved.others - {moved.start})
        without = f"{reason}; it is then without {', '.join(map(str, lost))}"
        report("RRULE", "begins with the first date of the rule", without)
        return moved
    report("RRULE", "is not kept", reason)
    return on_dates({start, *rdates})


def _by_rule(start: Moment, rule: Rule, rdates: set[Moment], steps: Steps) -> DateSet:
    last = max(map(wall_time, rdates), default=rule.start)
    return DateSet(start, rule, rdates - {start} - _dates(rule, last, start, steps))


def _counted(dates: int) -> str:
    return count(dates, "date")


def on_dates(dates: Iterable[Moment]) -> DateSet:
    """The set of these dates and no rule; there must be one."""
    first, *others = sorted(dates)
    return DateSet(first, None, set(others))


def _rules(draft: Draft, name: str) -> list[str]:
    rules = (
        normal_rule(prop.value, draft.start, draft.zone, draft.report)
        for prop in draft.component.all(name)
    )
    return list(filter(None, rules))


def _dates(rule: Rule | None, last: datetime, like: Moment, steps: Steps) -> set[Moment]:
    walls = rule.starts(last) if rule else []
    steps.take(len(walls))
    return {_moment_at(wall, like) for wall in walls}


def _moment_at(wall: datetime, like: Moment) -> Moment:
    """A wall time as a moment of the same kind and in the same zone as another."""
    if not isinstance(like, datetime):
        return wall.date()
    return wall.replace(tzinfo=like.tzinfo).astimezone(UTC).astimezone(like.tzinfo)


def _write_out(
    rules: list[str], refused: list[str], start: Moment, steps: Steps
) -> set[Moment] | None:
    """All dates that rules give, if there is an end to them."""
    dates = {start}
    for rule in [parse_any_rule(text, start) for text in rules]:
        if rule is None:
            steps.take(_REFUSED)
        if rule is None or (rule.count is None and rule.until is None):
            return None
        dates |= _dates(rule, _FAR, start, steps)
    for rule in [parse_any_rule(text, start) for text in refused]:
        if rule is None:
            return None
        dates -= _dates(rule, max(map(wall_time, dates), default=_FAR), start, steps)
    return dates or None


def _move_start(rules: list[str], refused: list[str], start: Moment) -> DateSet | None:
    """The set that begins with the first date of a rule, where `start` is none of its dates."""
    if len(rules) != 1 or refused:
        return None
    rule = parse_any_rule(rules[0], start)
    first = rule.first_start() if rule is not None and rule.count is None else None
    if first is None:
        return None
    moment = _moment_at(first, start)
    try:
        return DateSet(moment, accept_rule(rules[0], moment))
    except ValueError:
        return None
