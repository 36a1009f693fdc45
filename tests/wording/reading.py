"""The texts that people read in what a site answers and sends: pages, feeds, messages, mails."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import icalendar

from calfeed.web.published.formats import ATOM

_ATTRIBUTES = ("alt", "aria-label", "label", "placeholder", "title")
_METAS = ("description", "og:title", "og:description", "og:site_name", "og:image:alt")
_MACHINE = {"data-begins", "data-client", "data-copies", "data-ends", "data-followed", "data-key"}
"""The data of pages that scripts compare, and show to nobody."""
_MACHINE |= {"data-opens", "data-zone"}

_JSON_LD = {"@context", "@type", "url", "image", "eventStatus", "eventAttendanceMode", "email"}
_JSON_LD |= {"startDate", "endDate", "previousStartDate", "inLanguage"}

_HUMAN = {"text", "summary", "description", "location", "note", "name", "title", "detail", "label"}
_HUMAN |= {"contact", "short_name"}
"""Keys of JSON whose texts are for people, also where a map of languages is below them."""

_PROPERTIES = (
    *("SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CATEGORIES", "CONTACT", "NAME"),
    *("X-WR-CALNAME", "X-WR-CALDESC", "X-ALT-DESC"),
)
_COLUMNS = ("summary", "location", "categories", "description")


class _Page(HTMLParser):
    """The texts of a page; `languages` are those that it names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.languages: set[str] = set()
        self._raw = ""
        self._kind: str | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._raw = tag if tag in ("script", "style") else ""
        self._kind = given.get("type")
        self.texts += [given[name] for name in _ATTRIBUTES if name in given]
        self.texts += [
            value
            for name, value in given.items()
            if name.startswith("data-") and name not in _MACHINE
        ]
        if given.get("name", given.get("property", "")) in _METAS:
            self.texts.append(given["content"])
        if given.get("type") in ("submit", "button"):
            self.texts.append(given.get("value", ""))
        self.languages |= {given[name] for name in ("lang", "hreflang") if name in given}

    def handle_endtag(self, _tag: str) -> None:
        self._raw = ""

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self.texts.append(data)
        elif self._kind == "application/ld+json":
            self.texts += _json_ld_in(json.loads(data))


def read_page(html: str) -> list[str]:
    """The texts of a page; of HTML that people copy from it, what that says."""
    texts = [text for text in map(str.strip, _Page(html).texts) if text]
    return [
        inner for text in texts for inner in (read_page(text) if text.startswith("<") else [text])
    ]


def find_languages(html: str) -> set[str]:
    """The languages that a page says its parts are in."""
    return _Page(html).languages


def _json_ld_in(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _json_ld_in(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _json_ld_in(inner, key)
    elif isinstance(value, str) and key not in _JSON_LD:
        yield value


def read_json(value: Any, human: bool = False) -> Iterator[str]:
    """The texts for people in JSON: of messages, of calendars, of manifests, of errors."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from read_json(inner, human or name in _HUMAN)
    elif isinstance(value, list):
        for inner in value:
            yield from read_json(inner, human)
    elif isinstance(value, str) and human:
        yield value


def read_ical(feed: str) -> Iterator[str]:
    for component in icalendar.Calendar.from_ical(feed).walk():
        for name in _PROPERTIES:
            found = component.get(name, "")
            for one in found if isinstance(found, list) else [found]:
                text = ", ".join(map(str, one.cats)) if hasattr(one, "cats") else str(one)
                yield from read_page(text) if name == "X-ALT-DESC" else [text]
        for name in ("ORGANIZER", "ATTENDEE", "CONFERENCE"):
            if name in component:
                yield from (
                    str(text)
                    for key, text in component[name].params.items()
                    if key in ("CN", "LABEL")
                )


def read_csv(text: str) -> Iterator[str]:
    for row in csv.DictReader(io.StringIO(text)):
        yield from (row[name] for name in _COLUMNS)


def read_atom(text: str) -> Iterator[str]:
    root = ElementTree.fromstring(text.encode())
    for name in ("title", "subtitle", "content", f"author/{{{ATOM}}}name"):
        yield from (one.text or "" for one in root.iterfind(f".//{{{ATOM}}}{name}"))


def read_plain(mail: EmailMessage) -> Iterator[str]:
    """The plain texts of a mail."""
    for part in mail.walk():
        if part.get_content_type() == "text/plain":
            yield str(part.get_content())


def read_mail(mail: EmailMessage) -> Iterator[str]:
    """The subject, who it is from, and each part."""
    yield from (str(mail["Subject"]), str(mail["From"]))
    for part in mail.walk():
        if part.is_multipart():
            continue
        text = part.get_content()
        kind = part.get_content_type()
        if isinstance(text, bytes):
            text = text.decode()
        if kind == "text/html":
            yield from read_page(text)
        elif kind in ("text/calendar", "application/ics"):
            yield from read_ical(text)
        else:
            yield text
