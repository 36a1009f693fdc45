"""Write about a hundred sample mails, to be looked at: `python -m tests.mail.samples FOLDER`.

Each is an HTML file and a text file, in four languages. With `--pictures` Chromium draws them,
light and dark, wide and as narrow as a telephone.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

from calfeed.definitions.reader import read_definitions
from calfeed.ical.comparison.changes import compare_revisions, extend_history, find_cancel_note
from calfeed.model.events import Event
from calfeed.model.revision import ComparableRevision, Revision
from calfeed.reminders.mail.announcing import describe_change
from calfeed.reminders.mail.content import Content, Footer, Wording, footer_of
from calfeed.reminders.mail.greeting import (
    describe_confirmation,
    describe_further_request,
    describe_test,
    describe_welcome,
)
from calfeed.reminders.mail.html import write_html
from calfeed.reminders.mail.reminding import (
    Due,
    describe_digest,
    describe_open_date,
    describe_reminder,
)
from calfeed.reminders.mail.text import write_text
from calfeed.reminders.messages import describe_event, describe_occurrence
from calfeed.reminders.plan import plan_reminders
from calfeed.web.catalogs import wording_in

NOW = datetime(2030, 5, 1, 6, 0, tzinfo=UTC)
LANGUAGES = ("en", "ur", "ps", "fa-AF")
PAGE = "https://dates.example.org/calendars/court/hearing/"
OWN = "https://dates.example.org/follow/per_0123456789abcdef/0123456789012345678901234567/"

_TITLE = (
    "{en: Hearing on the registration cards, ur: رجسٹریشن کارڈز پر سماعت, "
    "ps: د ثبت د کارتونو اورېدنه, fa-AF: جلسهٔ کارت‌های ثبت}"
)
_PLACE = "{en: 'Court 2, Islamabad', ur: عدالت 2، اسلام آباد, ps: دویمه محکمه، اسلام اباد}"
_SOURCES = "[{title: Order of the court, url: 'https://court.example/order', date: 2030-04-01}]"
_NOTE = "{en: the judge is ill, ur: جج بیمار ہیں, ps: قاضي ناروغ دی, fa-AF: قاضی بیمار است}"
_LONG = (
    "The court hears the petition of the residents. Bring the card and a copy of it, and be there "
    "half an hour before. Whoever cannot come may send somebody with a written authority."
)


def _write(start: str, more: str = "") -> str:
    return (
        f"hearing:\n  summary: {_TITLE}\n  location: {_PLACE}\n  sources: {_SOURCES}\n"
        f"  reminders: [1 week, 1 day]\n  start: {start}\n{more}"
    )


_WEEKLY = "  duration: 1 hour\n  repeat: {{rule: FREQ=WEEKLY;COUNT=8{}}}\n"
CHANGES: dict[str, tuple[str, ...]] = {
    "added": (_write("2030-06-12 10:30", f"  duration: 90 minutes\n  description: {_LONG}\n"),),
    "moved": (
        _write("2030-06-12 10:30"),
        _write("2030-08-31 09:00", f"  note: {_NOTE}\n"),
    ),
    "moved-days": (
        _write("2030-06-12", "  end: 2030-06-14\n"),
        _write("2030-07-01", "  end: 2030-07-05\n"),
    ),
    "firmed": (_write("June 2030"), _write("2030-06-21")),
    "loosened": (_write("2030-06-21"), _write("June 2030")),
    "cancelled": (_write("2030-06-12"), _write("2030-06-12", "  status: cancelled\n")),
    "cancelled-why": (
        _write("2030-06-12"),
        _write("2030-06-12", f"  status: cancelled\n  note: {_NOTE}\n"),
    ),
    "place": (
        _write("2030-06-12"),
        _write("2030-06-12").replace("Court 2, Islamabad", "Court 7, Islamabad"),
    ),
    "description": (
        _write("2030-06-12"),
        _write("2030-06-12", f"  description: {_LONG}\n"),
    ),
    "series": (_write("2030-06-12 10:00", _WEEKLY.format("")),),
    "series-moved-once": (
        _write("2030-06-12 10:00", _WEEKLY.format("")),
        _write(
            "2030-06-12 10:00",
            _WEEKLY.format(", changes: {2030-06-19 10:00: {start: 2030-06-20 12:00}}"),
        ),
    ),
    "series-cancelled-once": (
        _write("2030-06-12 10:00", _WEEKLY.format("")),
        _write("2030-06-12 10:00", _WEEKLY.format(", except: [2030-06-19 10:00]")),
    ),
    "series-several": (
        _write("2030-06-12 10:00", _WEEKLY.format("")),
        _write(
            "2030-06-12 10:00",
            _WEEKLY.format(
                ", except: [2030-06-19 10:00], changes: "
                "{2030-06-26 10:00: {start: 2030-06-27 12:00}, "
                "2030-07-03 10:00: {start: 2030-07-04 12:00}}"
            ),
        ),
    ),
    "long": (
        _write("2030-06-12").replace(_TITLE, repr("A very long title that goes on " * 4)),
        _write("2030-06-13").replace(_TITLE, repr("A very long title that goes on " * 4)),
    ),
}


def define(text: str) -> Event:
    """The event of a calendar file."""
    lines = "\n".join("  " + line for line in text.splitlines())
    file = f"name: Court\ntime_zone: Asia/Karachi\nevents:\n{lines}\n"
    (calendar,) = read_definitions({"events/court.yaml": file.encode()}).calendars
    return calendar.events[0]


def publish(texts: tuple[str, ...]) -> list[Revision]:
    """The revisions of an event that was published so, one after the other."""
    made: list[Revision] = []
    for sequence, text in enumerate(texts):
        revision = Revision(event=define(text), sequence=sequence, created=NOW, modified=NOW)
        before = ComparableRevision(made[-1]) if made else None
        change = compare_revisions(before, ComparableRevision(revision))
        history, note = extend_history(change, NOW), find_cancel_note(change)
        made.append(revision.model_copy(update={"history": history, "cancel_note": note}))
    return made


def make_contents(wording: Wording) -> Iterator[tuple[str, Content]]:
    """What the sample mails say in one language, by name."""
    for name, texts in CHANGES.items():
        revisions = publish(texts)
        before = ComparableRevision(revisions[-2]) if len(revisions) > 1 else None
        compared = compare_revisions(before, ComparableRevision(revisions[-1]))
        yield name, describe_change(compared, wording, PAGE)
    dues = [_remind(text, number) for number, text in enumerate(CHANGES["moved"])]
    yield "reminder", describe_reminder(dues[0], NOW, wording)
    late = Due(
        {**dues[0].data, "reminder": {"due": NOW.isoformat(), "late_seconds": 90}}, dues[0].revision
    )
    yield "reminder-late", describe_reminder(late, NOW, wording)
    yield (
        "digest",
        describe_digest(
            [*dues, *[_remind(_write(f"2030-06-{day}"), day) for day in range(14, 20)]],
            NOW,
            wording,
        ),
    )
    yield "open", describe_open_date(_remind(CHANGES["moved"][0], 0), wording)
    names = ["Court", "Hearing on the registration cards, Court"]
    yield "confirm", describe_confirmation(names, OWN, wording)
    yield "known", describe_further_request((), OWN, wording)
    yield "welcome", describe_welcome(names, OWN, wording)
    yield "test", describe_test(wording)


def _remind(text: str, number: int) -> Due:
    (revision,) = publish((text.replace("hearing:", f"hearing-{number}:"),))
    event = revision.event
    reminder = next(iter(plan_reminders(event, NOW, NOW + timedelta(days=200))))
    data = {
        "event": describe_event(revision, PAGE),
        "occurrence": describe_occurrence(event, reminder.occurrence),
        "reminder": {"due": reminder.due.isoformat(), "late_seconds": 0},
    }
    return Due(data, revision)


def write_samples(folder: Path) -> list[Path]:
    """Write all samples into a folder, and return the HTML files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for language in LANGUAGES:
        wording = wording_in(language)
        for name, content in make_contents(wording):
            asked = name in ("confirm", "known", "test")
            footer = Footer("") if asked else footer_of(wording, "Court", OWN, OWN + "leave")
            file = folder / f"{name}-{language}.html"
            file.write_text(write_html(content, footer, language), "utf-8")
            text = f"Subject: {content.subject}\n\n{write_text(content, footer, language)}"
            file.with_suffix(".txt").write_text(text, "utf-8")
            written.append(file)
    return written


def draw(files: list[Path]) -> None:
    """Draw files with Chromium, beside them."""
    from playwright.sync_api import sync_playwright

    from tests.browser.house import start_chromium

    with sync_playwright() as playwright:
        browser = start_chromium(playwright)
        for scheme, width in product(("light", "dark"), (700, 360)):
            page = browser.new_page(
                color_scheme="dark" if scheme == "dark" else "light",
                viewport={"width": width, "height": 600},
            )
            for file in files:
                page.goto(file.absolute().as_uri())
                picture = file.with_name(f"{file.stem}-{scheme}-{width}.png")
                page.screenshot(path=picture, full_page=True)
        browser.close()


def main() -> None:
    """Write, and draw if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", action="store_true")
    asked = parser.parse_args()
    files = write_samples(asked.folder)
    if asked.pictures:
        draw(files)
    print(f"{len(files)} mails in {asked.folder}")


if __name__ == "__main__":
    main()
