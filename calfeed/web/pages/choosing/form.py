"""The form in which a reader ticks what goes into a feed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from calfeed.errors import InvalidValueError
from calfeed.model.dates.durations import Duration
from calfeed.model.dates.reminder_rules import ReminderRule
from calfeed.store.rows import EventRow
from calfeed.web.feeds.choice import Choice, EventChoice
from calfeed.web.feeds.feed_options import FeedOptions, write_alarm
from calfeed.web.pages.lists.cards import Card, make_card
from calfeed.web.pages.lists.entries import Entry
from calfeed.web.pages.lists.listing import list_upcoming
from calfeed.web.pages.reader.dates import describe_rule, write_short_day
from calfeed.web.pages.reader.languages import LocalizedText, Reader
from calfeed.web.pages.reader.locales import name_language
from calfeed.web.pages.subscribing import find_feed_language
from calfeed.web.published.snapshot import ALL, Snapshot
from calfeed.web.published.timeline import Timeline

_MAX_EVENTS = 20
"""The maximum number of upcoming events that can be chosen one by one."""

_ALARMS = (
    Duration(minutes=15),
    Duration(minutes=60),
    Duration(days=1),
    Duration(days=2),
    Duration(days=7),
)
"""The alarms to choose from; a URL may have others."""


@dataclass(frozen=True)
class Tick:
    """A box to tick: the value of its parameter, and its label."""

    value: str
    label: LocalizedText | str
    ticked: bool


@dataclass(frozen=True)
class CalendarTicks:
    """The boxes of a calendar: the whole, or some of its categories."""

    card: Card
    whole: bool
    categories: list[Tick]


@dataclass(frozen=True)
class EventTick:
    """The box of a single event; `when` is empty if the event is not among the upcoming ones."""

    tick: Tick
    calendar: Card
    when: str


@dataclass(frozen=True)
class ChoiceForm:
    """The form, filled in with a choice; `own_alarms` are the chosen alarms in words.

    `other_language` is the tag and the name of the reader's language if events have texts in it,
    but pages do not.
    """

    calendars: list[CalendarTicks]
    general: list[Tick]
    events: list[EventTick]
    alarms: list[Tick]
    options: FeedOptions
    own_alarms: str
    other_language: tuple[str, str] | None

    @property
    def past(self) -> str:
        """How much of the past is chosen: the value of `past=`, empty for the default."""
        return dict(self.options.pairs()).get("past", "")

    @property
    def has_single_events(self) -> bool:
        return any(each.tick.ticked for each in self.events)

    @property
    def has_options(self) -> bool:
        """Whether any of the options in the form is chosen."""
        chosen = self.options
        return bool(
            chosen.own_alarms
            or not chosen.alarms
            or chosen.marked
            or chosen.dropped
            or not chosen.open_days
        )


def make_form(
    snapshot: Snapshot,
    choice: Choice,
    options: FeedOptions,
    timeline: Timeline,
    now: datetime,
    reader: Reader,
) -> ChoiceForm:
    """Make the form for a choice; the upcoming events of a timeline can be ticked one by one."""
    cards = {slug: make_card(found, reader) for slug, found in snapshot.calendars.items()}
    alarms = _tick_alarms(options, reader)
    own_alarms = [str(tick.label) for tick in alarms if tick.ticked]
    return ChoiceForm(
        calendars=[_tick_calendar(card, dict(choice.calendars)) for card in cards.values()],
        general=[Tick(name, name, ticked=True) for name in choice.categories],
        events=_tick_events(snapshot, choice, timeline, now, reader, cards),
        alarms=alarms,
        options=options,
        own_alarms=reader.language.formats.comma.join(own_alarms),
        other_language=_find_other_language(snapshot, reader),
    )


def _find_other_language(snapshot: Snapshot, reader: Reader) -> tuple[str, str] | None:
    tag = find_feed_language(snapshot.sources[ALL].languages, reader)
    if not reader.explicit or not tag or tag in snapshot.offered.offer.tags:
        return None
    try:
        return tag, name_language(tag)
    except InvalidValueError:  # texts may be in a language that CLDR does not know
        return tag, tag


def _tick_calendar(card: Card, chosen: dict[str, tuple[str, ...]]) -> CalendarTicks:
    own = chosen.get(card.slug, ())
    offered = card.categories if len(card.categories) > 1 else ()
    # In a URL, a comma separates categories, so a name with a comma cannot be chosen.
    names = sorted({*(name for name in offered if "," not in name), *own})
    return CalendarTicks(
        card,
        card.slug in chosen and not own,
        [Tick(f"{card.slug}:{name}", name, ticked=name in own) for name in names],
    )


def _tick_events(
    snapshot: Snapshot,
    choice: Choice,
    timeline: Timeline,
    now: datetime,
    reader: Reader,
    cards: dict[str, Card],
) -> list[EventTick]:
    chosen = set(choice.events)
    ticks: dict[EventChoice, EventTick] = {}
    for entry in list_upcoming(timeline, now, reader, _MAX_EVENTS).entries:
        name = EventChoice(entry.row.calendar, entry.row.slug)
        if name not in ticks and not (entry.cancelled or entry.held):
            tick = Tick(str(name), entry.summary, ticked=name in chosen)
            ticks[name] = EventTick(tick, cards[name.calendar], _write_when(entry))
    for name in sorted(chosen - ticks.keys()):
        row = _find_row(snapshot, name)
        if row is not None:
            event = row.revision.event
            title = reader.localize(event.summary, event.language)
            ticks[name] = EventTick(Tick(str(name), title, ticked=True), cards[name.calendar], "")
    return list(ticks.values())


def _find_row(snapshot: Snapshot, name: EventChoice) -> EventRow | None:
    found = snapshot.calendars.get(name.calendar)
    return found.by_slug.get(name.slug) if found else None


def _write_when(entry: Entry) -> str:
    return entry.time if entry.vague else write_short_day(entry.day, entry.reader.language)


def _tick_alarms(options: FeedOptions, reader: Reader) -> list[Tick]:
    return [
        Tick(
            write_alarm(before),
            describe_rule(ReminderRule(before=before), reader.language),
            ticked=before in options.own_alarms,
        )
        for before in sorted({*_ALARMS, *options.own_alarms})
    ]
