"""How to subscribe: the feed's address as each calendar app takes it, and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlsplit

import segno
from markupsafe import Markup

from calfeed.model.events import Calendar
from calfeed.web.feeds.assembly import FeedSource
from calfeed.web.feeds.choices import Choice
from calfeed.web.pages.reader.languages import Reader
from calfeed.web.pages.reader.wording import gettext as _


@dataclass(frozen=True)
class Client:
    """A calendar app: the link that opens it, what to do there, how often it looks again.

    `how` and `refresh` are texts in the language of whoever reads them.
    """

    key: str
    name: str
    link: str
    how: str
    refresh: str


@dataclass(frozen=True)
class Subscription:
    """One feed, chosen: its address, its name, the file to download, the apps that take it.

    `page` is the path of the page that tells all this.
    """

    feed: str
    name: str
    page: str
    download: str
    clients: tuple[Client, ...]

    @property
    def qr(self) -> Markup:
        """The address as a QR code, an SVG that brings its own white ground."""
        return _make_qr(self.feed)


@lru_cache(maxsize=256)
def _make_qr(text: str) -> Markup:
    # A page has one, and it takes half as long to make as the page does: some 8 kB to keep.
    code = segno.make(text, error="m", micro=False)
    return Markup(code.svg_inline(border=4, light="#fff", omitsize=True))


def make_subscription(source: FeedSource, name: str, choice: Choice, page: str) -> Subscription:
    """The subscription to a choice of a feed; `page` is the path of its page."""
    feed = source.address(choice)
    query = choice.query()
    download = source.path + (f"?{query}" if query else "")
    return Subscription(feed, name, page, download, _list_clients(feed, name))


def choose_feed(source: FeedSource, reader: Reader, categories: tuple[str, ...]) -> Choice:
    """What a reader sees, as a choice of the feed: the same categories, in the same language.

    A language nothing is written in is no choice, and the calendar's own needs none.
    """
    own = _own_language(source.calendar)
    tags = (reader.tag, reader.tag.split("-")[0])
    language = next((tag for tag in tags if tag in source.languages), "")
    return Choice(categories=categories, language="" if language == own else language)


def _own_language(calendar: Calendar | None) -> str:
    return calendar.language if calendar else ""


def _list_clients(feed: str, name: str) -> tuple[Client, ...]:
    parts = urlsplit(feed)
    webcal = parts._replace(scheme="webcal").geturl()
    query = f"url={quote(feed, safe='')}&name={quote(name, safe='')}"
    google = "https://calendar.google.com/calendar/u/0/r?cid=" + quote(webcal, safe="")
    return (
        Client(
            "apple",
            "Apple",
            webcal,
            _("iPhone, iPad and Mac: open the link and confirm."),
            _("Looks for changes about every hour, or as you set it."),
        ),
        Client(
            "google",
            "Google Calendar",
            google,
            _("Open the link in a browser, signed in, and confirm."),
            _("Looks for changes every 4 to 24 hours."),
        ),
        Client(
            "outlook",
            "Outlook.com",
            f"https://outlook.live.com/calendar/0/addfromweb/?{query}",
            _("Open the link, signed in, and choose Import."),
            _("Looks for changes every 1 to 3 hours."),
        ),
        Client(
            "office",
            "Microsoft 365",
            f"https://outlook.office.com/calendar/0/addfromweb/?{query}",
            _("Open the link, signed in, and choose Import."),
            _("Looks for changes every 1 to 3 hours."),
        ),
        Client(
            "thunderbird",
            "Thunderbird",
            webcal,
            _("Open the link; or New Calendar, On the Network, and paste the address."),
            _("Looks for changes as often as you set it."),
        ),
        Client(
            "android",
            "Android",
            feed,
            _("Use Google Calendar in a browser, or paste the address into an app such as ICSx⁵."),
            _("Looks for changes as often as the app is set to."),
        ),
    )
