"""What a mail says, in the reader's language and before it has a form.

The texts are in English here and are translated through a `Wording`; `pybabel extract` finds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

_RIGHT_TO_LEFT = {"ar", "fa", "he", "ps", "ur"}


class Wording(Protocol):
    """Translates into one language, a BCP 47 tag."""

    @property
    def language(self) -> str: ...

    def gettext(self, text: str, **values: object) -> str:
        """Translate a text and interpolate values (`%(name)s`)."""
        ...

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """Translate a text with the plural form of a number, `%(num)s`."""
        ...


@dataclass(frozen=True)
class Fact:
    """A line with a label; `former` is what no longer holds, `url` makes it a link.

    `day` is a date that belongs to the text, which may be in another language.
    """

    label: str
    text: str
    url: str | None = None
    day: str = ""
    former: bool = False


@dataclass(frozen=True)
class Entry:
    """One of several events or occurrences: a title, lines about it, and its page."""

    title: str
    lines: tuple[str, ...]
    url: str | None = None


@dataclass(frozen=True)
class Content:
    """What a mail says.

    `kicker` is a word above the title, such as "Moved". `urgent` marks what is no longer as the
    reader knows it. `action` is the one thing to press: a label and a URL.
    """

    subject: str
    kicker: str
    title: str
    paragraphs: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    entries: tuple[Entry, ...] = ()
    small: tuple[str, ...] = ()
    action: tuple[str, str] | None = None
    urgent: bool = False


@dataclass(frozen=True)
class Footer:
    """Why somebody gets a mail, and the links to change that: labels and URLs."""

    reason: str
    links: tuple[tuple[str, str], ...] = ()


def writing_direction(language: str) -> str:
    """Return `rtl` for a language that is written from right to left, else `ltr`."""
    return "rtl" if language.split("-")[0] in _RIGHT_TO_LEFT else "ltr"


def footer_of(wording: Wording, calendar: str, page: str, leave: str) -> Footer:
    """The footer of a mail to a person who follows dates; `calendar` is "" for several."""
    reason = (
        wording.gettext(
            "You get this mail because you follow dates of %(calendar)s.", calendar=calendar
        )
        if calendar
        else wording.gettext("You get this mail because you follow dates.")
    )
    return Footer(
        reason,
        (
            (wording.gettext("Change what you get"), page),
            (wording.gettext("Leave, and get no more mails"), leave),
        ),
    )
