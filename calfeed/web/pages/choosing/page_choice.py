"""The choice that the URL of a page contains."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import abort, g, request
from markupsafe import Markup

from calfeed.model.colors import COLORS
from calfeed.store.rows import EventRow
from calfeed.web.feeds.choice import PARAMETERS, Choice, write_query
from calfeed.web.feeds.feed_options import FeedOptions
from calfeed.web.feeds.query_errors import QueryError
from calfeed.web.pages.reader.languages import LocalizedText, Reader
from calfeed.web.pages.reader.wording import gettext, ngettext
from calfeed.web.pages.request_options import address
from calfeed.web.pages.resolve import explain_query
from calfeed.web.pages.subscribing import find_feed_language
from calfeed.web.published.chosen import Chosen, UnknownNamesError, read_chosen
from calfeed.web.published.snapshot import ALL, Snapshot


@dataclass(frozen=True)
class Part:
    """A part of a choice: a calendar with the chosen categories, or a single event.

    `page` is its path under `/calendars/`; its path under `/follow/` is the same.
    """

    title: LocalizedText
    page: str
    color: str | None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class PageChoice:
    """A choice as pages show it, with the options of its feed."""

    chosen: Chosen
    options: FeedOptions
    reader: Reader

    @property
    def name(self) -> str:
        return self.chosen.name(self.reader.tag)

    @property
    def choice(self) -> Choice:
        return self.chosen.choice

    def wants(self, row: EventRow) -> bool:
        """Whether an event is in the choice."""
        return row.uid in self.chosen.uids

    @property
    def parts(self) -> list[Part]:
        """Its calendars and single events that are published now."""
        found = {each.calendar.slug: each.calendar for each in self.chosen.calendars}
        parts = []
        for slug, categories in self.choice.calendars:
            if (calendar := found.get(slug)) is not None:
                title = self.reader.localize(calendar.name, calendar.language)
                color = COLORS.get(calendar.color or "")
                parts.append(Part(title, f"{slug}/", color, categories))
        for row in self.chosen.single_rows:
            event = row.revision.event
            title = self.reader.localize(event.summary, event.language)
            color = COLORS.get(found[row.calendar].color or "")
            parts.append(Part(title, f"{row.calendar}/{row.slug}/", color))
        return parts

    @property
    def feed_options(self) -> FeedOptions:
        """The options with the reader's language, if texts are available in it."""
        language = find_feed_language(self.chosen.languages, self.reader)
        return replace(self.options, language=language)

    def link(self, path: str) -> str:
        """Return the address of a page with this choice, the reader's language and zone."""
        query: dict[str, tuple[str, ...]] = {}
        for name, value in [*self.choice.pairs(), *replace(self.options, language="").pairs()]:
            query[name] = (*query.get(name, ()), value)
        return address(path, **query)

    def share(self, path: str) -> str:
        """Return the address of a page with this choice for other people."""
        language = self.reader.tag if self.reader.explicit else ""
        return f"{path}?{write_query(self.choice, replace(self.options, language=language))}"

    def write_snippet(self, url: str) -> str:
        """Return the HTML that embeds the list at `url` in another page."""
        frame = '<iframe src="{}" title="{}" width="100%" height="480" loading="lazy"></iframe>'
        return str(Markup(frame).format(url, self.name))


def names_choice(*, narrowly: bool = False) -> bool:
    """Whether the address of this request names any part of a choice.

    With `narrowly`, categories alone do not count, as other pages have them too.
    """
    return any(request.args.get(name) for name in PARAMETERS if not narrowly or name != "category")


def read_page_choice(snapshot: Snapshot) -> PageChoice:
    """Return the choice of this request; abort with 400 if it is not valid.

    Before the first publish, abort with 503.
    """
    reader: Reader = g.reader
    if ALL not in snapshot.sources:
        abort(503, gettext("Nothing is published yet."))
    # Left out, because the language of a page need not be one of the feed.
    pairs = [pair for pair in request.args.items(multi=True) if pair[0] != "lang"]
    try:
        chosen, options = read_chosen(snapshot, urlencode(pairs, safe="/:,"))
    except UnknownNamesError as error:
        names = reader.language.formats.comma.join(
            f"\u2068{name}\u2069" for name in error.names[:10]
        )
        abort(
            400,
            ngettext(
                "There is no calendar, category or event called %(names)s.",
                "There are no calendars, categories or events called %(names)s.",
                len(error.names),
                names=names,
            ),
        )
    except QueryError as error:
        problem = explain_query(error)
        abort(400, gettext("This choice is not possible: %(problem)s.", problem=problem))
    return PageChoice(chosen, options, reader)
