"""Suggestions for unknown keys and words, from lists of synonyms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from calfeed.definitions.formats.dates import CLOCK, find_clock_readings, normalize
from calfeed.definitions.hints.moments import suggest_moment
from calfeed.model.texts import join_words, nearest, shortened

_KEYS: Mapping[str, str] = {
    "start": "date day when time starts begin begins beginning from due due_date deadline "
    "deadline_date start_date start_time startdate starttime dtstart datetime date_time on at "
    "scheduled after depends_on deadline_of relative_to counted_from earliest",
    "end": "ends ending until till to finish finishes end_date end_time enddate endtime dtend stop "
    "last_day",
    "duration": "length lasts for takes",
    "summary": "title name headline subject heading label event what topic",
    "name": "title summary headline calendar calendar_name heading label",
    "description": "desc details detail text body about info information content summary_long "
    "comment comments long_description",
    "location": "place venue where address room loc city",
    "url": "link website site web webpage page href homepage uri",
    "categories": "tags tag category labels keywords topics",
    "time_zone": "timezone tz zone tzid timezones",
    "color": "colour colors",
    "repeat": "recurrence recurring repeats recur recurs rrule frequency freq every repeating",
    "rule": "rrule freq frequency every recurrence pattern",
    "except": "exdate exdates exceptions exception exclude excluded skip without not",
    "also": "rdate rdates extra additional include added and",
    "changes": "overrides override changed modifications",
    "reminders": "reminder alert alerts alarm alarms remind notify notifications notification",
    "before": "when trigger offset ahead earlier lead",
    "working_days": "holidays weekend weekends closed closures business_days workdays open_days "
    "public_holidays bank_holidays workweek non_working_days",
    "holidays": "public_holidays bank_holidays countries country region regions",
    "weekend": "weekends rest_days",
    "closed": "closures extra_holidays days_off",
    "open": "working opened",
    "embargo": "embargoed embargo_until  embargoed_until publish_at release hidden_until "
    "visible_from",
    "done": "met waived completed complete finished filed submitted settled outcome",
    "correction": "corrected corrects erratum errata was",
    "roll": "adjust rolls rolling convention if_closed",
    "as": "outcome how result",
    "note": "notes remark remarks reason why change_note",
    "status": "state cancelled canceled confirmed tentative provisional",
    "kind": "type sort deadline is_deadline",
    "sources": "source reference references ref citation",
    "organizer": "organiser host organizers organised_by organized_by owner",
    "contact": "contacts phone telephone ask",
    "conference": "online meeting_link zoom teams meet call meeting video",
    "geo": "coordinates position latlng lat_lng gps coords",
    "image": "picture photo img banner",
    "email": "mail e_mail address",
    "uid": "id guid identifier",
    "language": "lang locale",
    "visibility": "private public access",
    "class": "classification privacy",
    "history": "past keep keep_past",
    "formerly": "former previously old_name renamed_from aliases",
    "events": "event dates items entries deadlines appointments calendar_events",
}
_WORDS: Mapping[str, str] = {
    "cancelled": "canceled cancel off called_off dropped",
    "tentative": "provisional unconfirmed tbc tbd planned possible maybe draft expected proposed",
    "confirmed": "confirm final fixed definite scheduled yes agreed",
    "met": "done yes true complete completed finished filed submitted held fulfilled sent ok",
    "waived": "dropped moot lapsed skipped excused cancelled canceled unnecessary not_needed",
    "next": "forward following after later on onward modified_following",
    "previous": "back backward backwards preceding before earlier prior",
    "deadline": "due due_date task todo",
    "event": "meeting appointment",
    "private": "secret hidden internal",
    "public": "open",
    "markdown": "md",
    "plain": "text txt",
}


_COUNTED_KEYS = [
    "after",
    "depends_on",
    "depends",
    "deadline_of",
    "relative_to",
    "counted_from",
    "count_from",
    "offset",
    "days_after",
    "days_before",
    "relative",
    "follows",
    "cause",
    "based_on",
    "linked_to",
    "before",
]
_SPAN_KEYS = [
    "earliest",
    "latest",
    "precision",
    "approximate",
    "window",
    "not_before",
    "no_earlier_than",
    "range",
]
_ON_HOLD = ["postponed", "delayed", "deferred", "suspended", "adjourned", "rescheduled", "on_hold"]


def find_key(key: str, keys: list[str]) -> str | None:
    """Return the key among `keys` that was probably intended, None if none is similar."""
    return _look_up(key, keys, _KEYS) or nearest(key, keys, cutoff=0.75)


def known_word(word: str, words: Iterable[str]) -> str | None:
    """Return the word among `words` that has `word` as a synonym, None if there is none."""
    return _look_up(word, words, _WORDS)


def explain_word(word: str, words: Iterable[str]) -> str:
    """Return a hint about a value that is not in `words`; "" if its meaning is unknown."""
    choices = list(words)
    if "cancelled" in choices and _plain(word) in _ON_HOLD:
        return ' (for a date that is no longer valid, write "start: postponed")'
    if "cancelled" in choices and _plain(word) in ("done", "met", "waived", "completed"):
        return ' (to say that a deadline was met or waived, write "done: met" or "done: waived")'
    found = known_word(word, choices)
    return f' (perhaps "{found}")' if found else ""


def explain_key(key: str, entry: Mapping[str, object], keys: list[str]) -> str:
    """Explain an unknown key of an entry and suggest a fix; `keys` are the known keys."""
    plain, value = _plain(key), entry.get(key)
    unknown = f'there is no key "{shortened(key)}" here'
    if "start" in keys and (joined := _join_time(plain, entry)):
        return f"{unknown}; write the date and its time as one value, {joined}"
    if "roll" in keys and (example := _explain_dating(plain, entry)):
        return f"{unknown}; {example}"
    if "working_days" in keys and "name" in keys and plain in _WORKING_DAY_KEYS:
        return f"{unknown}; write {_show_working_days(plain, value)}"
    if "status" in keys and (word := known_word(key, ("cancelled", "tentative", "confirmed"))):
        return f'{unknown}; write "status: {word}"'
    if "kind" in keys and plain in ("deadline", "due", "due_date", "is_deadline"):
        moment = suggest_moment(value) if isinstance(value, str) else None
        start = f'"start: {moment}" and ' if moment and "start" not in entry else ""
        return f'{unknown}; write {start}"kind: deadline"'
    if "start" in keys and plain in ("all_day", "allday", "whole_day", "full_day"):
        return f"{unknown}; an event is all day if its start has no time, so remove the key"
    if "summary" in keys and isinstance(value, dict) and {"summary", "start"} & value.keys():
        return f"{unknown}; if it is an event of its own, indent it less, as the event above is"
    if normalize(key) != key and normalize(key) in keys:
        return f"{unknown}; it has an invisible character in it, so type {normalize(key)} once more"
    name = find_key(key, keys)
    if name is None:
        return f"{unknown}; the keys here are {join_words(keys)}"
    return f'{unknown}; did you mean "{name}"?' + (" It is there already" if name in entry else "")


_WORKING_DAY_KEYS = {
    name: key
    for key in ("holidays", "weekend", "closed", "open")
    for name in (key, *_KEYS[key].split())
}
"""The keys that belong under `working_days`, by common synonyms."""


def _show_working_days(plain: str, value: object) -> str:
    key = _WORKING_DAY_KEYS[plain]
    items = value if isinstance(value, list) else [value]
    texts = [each for each in items if isinstance(each, str)]
    example = {"holidays": "PK", "weekend": "saturday, sunday"}.get(key, "2030-12-31")
    shown = shortened(", ".join(texts)) if texts and len(texts) == len(items) else example
    return f'"working_days: {{{key}: [{shown}]}}"'


def _explain_dating(plain: str, entry: Mapping[str, object]) -> str:
    """Explain a key whose value can be written in `start`; "" for any other key."""
    if plain in _ON_HOLD:
        return 'write "start: postponed"'
    if plain in _COUNTED_KEYS:
        return (
            "a date that is counted from another event is written in its start, such as "
            '"start: 14 days after ruling"'
        )
    if plain in _SPAN_KEYS:
        ends = [entry.get(key) for key in ("earliest", "latest")]
        days = [suggest_moment(end) for end in ends if isinstance(end, str)]
        span = f"{days[0]}..{days[1]}" if len(days) == 2 and all(days) else "2030-06"
        example = span
        return f'an uncertain date is written in its start, such as "start: {example}"'
    return ""


def _join_time(key: str, entry: Mapping[str, object]) -> str:
    """Return a date and a time that are under two keys as one value; "" without such keys."""
    times = {_plain(name): name for name in entry}
    for begin, day_keys, time_keys in (
        ("start", ("start", "date", "start_date", "day"), ("time", "start_time", "hour", "at")),
        ("end", ("end", "end_date", "until"), ("end_time", "finish_time")),
    ):
        if key not in (*day_keys, *time_keys):
            continue
        days = [times[name] for name in (*day_keys, "start", "date") if name in times]
        clocks = [times[name] for name in time_keys if name in times]
        if not days or not clocks:
            continue
        day, clock = (str(entry[found[0]]) for found in (days, clocks))
        moment, found = suggest_moment(day), CLOCK.fullmatch(normalize(clock).lower())
        readings = find_clock_readings(found) if found else []
        if moment and len(readings) == 1:
            return f'"{begin}: {moment[:10]} {readings[0][1].text}"'
    return ""


def _look_up(word: str, choices: Iterable[str], synonyms: Mapping[str, str]) -> str | None:
    plain = _plain(word)
    found = (choice for choice in choices if plain in (choice, *synonyms.get(choice, "").split()))
    return next(found, None)


def _plain(word: str) -> str:
    """Normalize a word: `Due-Date`, `due date` and `dueDate` become `due_date`."""
    return re.sub(r"[\s_-]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word.strip())).lower()
