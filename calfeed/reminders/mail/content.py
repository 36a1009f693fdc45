"""The content of a mail in the reader's language, before it is formatted.

The texts in the code are English and are translated by a `Wording`; `pybabel extract` finds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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
    """A line with a label; `former` marks a value that is no longer valid, `url` makes it a link.

    `day` is a date that belongs to the text, apart because the text may be in another language.
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
    """The content of a mail.

    `kicker` is a word above the title, such as "Moved". `urgent` means that the date is no longer
    the one the reader knows. `action` is the button: a label and a URL.
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
class MailSite:
    """The site that sends a mail, in the reader's language.

    `name` and `privacy`, the URL of its privacy notice, may be empty. `accent` is the colour of
    buttons, `#rrggbb`.
    """

    name: str = ""
    privacy: str = ""
    accent: str = "#1d5c4a"


NO_SITE = MailSite()
"""A site without a name of its own."""


@dataclass(frozen=True)
class Footer:
    """Why the reader gets a mail, links to change that (labels and URLs), and the sending site."""

    reason: str
    links: tuple[tuple[str, str], ...] = ()
    site: MailSite = NO_SITE


def footer_of(
    wording: Wording, calendar: str, page: str, leave: str, site: MailSite = NO_SITE
) -> Footer:
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
            *privacy_link(wording, site),
        ),
        site,
    )


def footer_of_request(wording: Wording, site: MailSite) -> Footer:
    """The footer of a mail to somebody who has not confirmed yet."""
    return Footer("", privacy_link(wording, site), site)


def privacy_link(wording: Wording, site: MailSite) -> tuple[tuple[str, str], ...]:
    """The link to the site's privacy notice, if it has one."""
    return ((wording.gettext("Privacy"), site.privacy),) if site.privacy else ()
