"""The forms of people who follow: parsing them, and the titles of what people follow."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, request

from calfeed.definitions.formats.zone_names import find_zone
from calfeed.errors import InvalidInputError
from calfeed.reminders.following.choices import Choices, Reminders, split_name
from calfeed.reminders.option_values import parse_quiet
from calfeed.web.pages.reader.languages import LocalizedText, Reader
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.published.snapshot import Snapshot

HONEYPOT = "website"
"""A hidden field. If it is filled in, the sender is a program."""


@dataclass(frozen=True)
class Followed:
    """A followed calendar, category or event: its name in filters, and its titles for the reader.

    `title` is that of the calendar, category or event. `calendar` is the title of the calendar that
    contains the category or event, empty for a whole calendar. `address` is the path of the page of
    the event or else of the calendar, empty if the calendar is no longer published.
    """

    name: str
    title: LocalizedText | str
    calendar: LocalizedText | str = ""
    address: str = ""


class FormError(Exception):
    """A form is not valid: `text` tells the reader what is wrong in `field`."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field
        self.text = text


def read_choices() -> Choices:
    """Return the choices in the form of this request. Raises FormError if they are not valid."""
    form = request.form
    language, zone = form.get("language", ""), form.get("zone", "")
    begin, end = form.get("quiet_from", ""), form.get("quiet_until", "")
    try:
        reminders = Reminders(form.get("reminders", ""))
        quiet = parse_quiet(f"{begin}-{end}") if begin or end else None
    except InvalidInputError:
        text = gettext("Quiet hours need two different times of day, such as 22:00 and 07:00.")
        raise FormError("quiet_from", text) from None
    except ValueError:
        raise FormError("reminders", gettext("Choose one of these.")) from None
    choices = Choices(
        reminders=reminders,
        moves="moves" in form,
        entries="entries" in form,
        language=language if language in g.offered.offer.tags else g.reader.language.tag,
        time_zone=zone if find_zone(zone) else "UTC",
        quiet=quiet,
    )
    if not choices.wants_something:
        raise FormError("reminders", gettext("Choose moved dates or reminders, or both."))
    return choices


def describe(snapshot: Snapshot, name: str) -> Followed:
    """Describe what a person follows, in the reader's language.

    What is no longer published, or is private now, has its name as the title.
    """
    reader: Reader = g.reader
    slug, event_slug, category = split_name(name)
    found = snapshot.calendars.get(slug)
    if found is None:
        return Followed(name, name)
    calendar = reader.localize(found.calendar.name, found.calendar.language)
    page = f"/calendars/{slug}/"
    if category:
        return Followed(name, category, calendar, page)
    if not event_slug:
        return Followed(name, calendar, address=page)
    row = found.by_slug.get(event_slug)
    if row is None:
        return Followed(name, event_slug, calendar, page)
    event = row.revision.event
    title = reader.localize(event.summary, event.language)
    return Followed(name, title, calendar, f"{page}{event_slug}/")


def list_others(snapshot: Snapshot, follows: tuple[str, ...]) -> list[Followed]:
    """List the public calendars that the person does not follow."""
    return [describe(snapshot, slug) for slug in snapshot.calendars if slug not in follows]
