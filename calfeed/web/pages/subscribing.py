"""Subscription links for calendar apps, and QR codes."""

from __future__ import annotations

from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlsplit

import segno
from markupsafe import Markup
from segno.encoder import DataOverflowError

from calfeed.model.events import Calendar
from calfeed.web.feeds.assembly import FeedSource
from calfeed.web.feeds.feed_options import FeedOptions
from calfeed.web.pages.reader.languages import Reader
from calfeed.web.pages.reader.wording import gettext as _


@dataclass(frozen=True)
class Client:
    """A calendar app: its link, instructions, and refresh interval, in the reader's language.

    `account` says how to use the CalDAV address in the app, "" if the app cannot use it. A `slow`
    app shows a move so late that a mail is better.
    """

    key: str
    name: str
    link: str
    how: str
    refresh: str
    account: str = ""
    slow: bool = False


@dataclass(frozen=True)
class Subscription:
    """A feed with options: its URL, name, download, and apps.

    `page` is the link to its subscription page, `download` a path of the site. `caldav` is the
    CalDAV address of the same events; "" for a part of a calendar, which CalDAV does not offer.
    """

    feed: str
    name: str
    page: str
    download: str
    caldav: str
    clients: tuple[Client, ...]

    @property
    def qr(self) -> Markup:
        """The URL as a QR code, an SVG with a white background; empty if the URL is too long."""
        return _make_qr(self.feed)


@lru_cache(maxsize=256)
def _make_qr(text: str) -> Markup:
    # A QR code takes half as long to make as a page, and about 8 kB of the cache.
    for level in ("m", "l"):
        with suppress(DataOverflowError):
            code = segno.make(text, error=level, micro=False)
            return Markup(code.svg_inline(border=4, light="#fff", omitsize=True))
    return Markup()


def make_subscription(
    source: FeedSource, name: str, options: FeedOptions, page: str, caldav: str = ""
) -> Subscription:
    """Return the subscription to a feed with options; `page` is the link to its page."""
    feed, download = source.address(options), source.path_with(options)
    return Subscription(feed, name, page, download, caldav, _list_clients(feed, name, caldav))


def choose_feed(source: FeedSource, reader: Reader, categories: tuple[str, ...]) -> FeedOptions:
    """Return the feed options that match a page: the same categories and language.

    Unavailable languages are left out, and so is the calendar's own, the default.
    """
    own = _own_language(source.calendar)
    language = find_feed_language(source.languages, reader)
    return FeedOptions(categories=categories, language="" if language == own else language)


def find_feed_language(languages: Container[str], reader: Reader) -> str:
    """Return the reader's language (BCP 47 tag) if a feed has texts in it, else ""."""
    tags = (reader.tag, reader.tag.split("-")[0])
    return next((tag for tag in tags if tag in languages), "")


def _own_language(calendar: Calendar | None) -> str:
    return calendar.language if calendar else ""


def _list_clients(feed: str, name: str, caldav: str) -> tuple[Client, ...]:
    parts = urlsplit(feed)
    webcal = parts._replace(scheme="webcal").geturl()
    query = f"url={quote(feed, safe='')}&name={quote(name, safe='')}"
    google = "https://calendar.google.com/calendar/u/0/r?cid=" + quote(webcal, safe="")
    account = {
        "apple": _("Settings, Calendar, Accounts, Add CalDAV Account; the user name is “public”."),
        "thunderbird": _("New Calendar, On the Network, and paste the CalDAV address."),
        "davx5": _("Add an account with the CalDAV address; the user name is “public”."),
        "evolution": _("New Calendar, CalDAV, and paste the CalDAV address."),
    }
    clients = (
        Client(
            "apple",
            "Apple",
            webcal,
            _("iPhone, iPad and Mac: open the link and confirm."),
            _("Looks for changes about every hour, or as you set it."),
            account["apple"],
        ),
        Client(
            "google",
            "Google Calendar",
            google,
            _("Open the link in a browser, signed in, and confirm."),
            _("Looks for changes every 4 to 24 hours."),
            slow=True,
        ),
        Client(
            "outlook",
            "Outlook.com",
            f"https://outlook.live.com/calendar/0/addfromweb/?{query}",
            _("Open the link, signed in, and choose Import."),
            _("Looks for changes every 1 to 3 hours."),
            slow=True,
        ),
        Client(
            "office",
            "Microsoft 365",
            f"https://outlook.office.com/calendar/0/addfromweb/?{query}",
            _("Open the link, signed in, and choose Import."),
            _("Looks for changes every 1 to 3 hours."),
            slow=True,
        ),
        Client(
            "thunderbird",
            "Thunderbird",
            webcal,
            _("Open the link; or New Calendar, On the Network, and paste the address."),
            _("Looks for changes as often as you set it."),
            account["thunderbird"],
        ),
        Client(
            "android",
            "Android",
            feed,
            _("Use Google Calendar in a browser, or paste the address into an app such as ICSx⁵."),
            _("Looks for changes as often as the app is set to."),
        ),
    )
    if not caldav:
        return clients
    address = urlsplit(caldav)
    scheme = {"https": "caldavs", "http": "caldav"}[address.scheme]
    return (
        *clients,
        Client(
            "davx5",
            "DAVx⁵",
            address._replace(scheme=scheme).geturl(),
            _("Android: for the calendar app that is on the phone."),
            _("Sees a change within seconds where the site pushes, else as often as you set it."),
            account["davx5"],
        ),
        Client(
            "evolution",
            "Evolution, GNOME",
            webcal,
            _("Open the link."),
            _("Looks for changes as often as you set it."),
            account["evolution"],
        ),
    )
