"""The pages of a reader's choice: the form that makes it, its dates, its embed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

import pytest
from werkzeug.test import Client

from calfeed.web.app import make_flask
from calfeed.web.feeds.choice import parse_choice
from calfeed.web.pages import export
from calfeed.web.pages.page_cache import PageCache
from tests.web.published import BASE, NOW, Published, make_site
from tests.web.test_choices import ALL, COURT
from tests.web.test_views import titles

CHOICE = (
    "calendar=court:address&calendar=desk&event=un/debate&alarms=1d,3h&cancelled=drop&open=none"
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish(ALL)
    yield site
    site.database.close()


class Form(HTMLParser):
    """What the form of a page sends as it stands: names and values."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action, self.pairs = "", list[tuple[str, str]]()
        self._inside, self._select = False, ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = values.get("class") == "choose"
            self.action = values["action"] if self._inside else self.action
        if not self._inside:
            return
        if tag == "select":
            self._select = values["name"]
            self.pairs.append((self._select, ""))
        if tag == "option" and ("selected" in values or self.pairs[-1] == (self._select, "")):
            self.pairs[-1] = self._select, values["value"]
        if tag == "input" and (values["type"] == "hidden" or "checked" in values):
            self.pairs.append((values["name"], values["value"]))


def feed_of(page: str) -> str:
    """The address of the feed that a page shows."""
    found = re.search(r'id="feed-address"[^>]* value="([^"]*)"', page)
    assert found
    return unescape(found[1])


def test_the_form_comes_back_to_the_choice_in_its_address(site: Published) -> None:
    page = site.get(f"/subscribe/?{CHOICE}").text
    form = Form(page)
    assert form.action == "/subscribe/"
    again = site.get(f"{form.action}?{urlencode(form.pairs)}").text
    assert feed_of(again) == feed_of(page)
    assert Form(again).pairs == form.pairs
    assert parse_choice(feed_of(page).partition("?")[2]) == parse_choice(f"{CHOICE}&lang=en")


@pytest.mark.parametrize("tag", ["ur", "ur-PK", "fr-CA", "xx"])
@pytest.mark.parametrize("path", ["/subscribe/?calendar=court", "/subscribe/court/?"])
def test_the_form_keeps_a_language_that_only_events_have(
    site: Published, path: str, tag: str
) -> None:
    court = COURT.replace("ur: عدالت", "ur: عدالت, fr-CA: Tribunal, xx: X")
    site.publish({"court": court, "site": "name: Dates\nlanguages: [fr, en]\n"})
    page = site.get(f"{path}&lang={tag}").text
    pairs = Form(page).pairs
    language = tag.removesuffix("-PK")
    assert dict(pairs)["lang"] == language
    assert feed_of(site.get(f"/subscribe/?{urlencode(pairs)}").text).endswith(f"lang={language}")


def test_the_form_offers_no_language_that_neither_pages_nor_events_have(site: Published) -> None:
    for tag, found in {
        "": "en",
        "de": "en",
        "fr-CA": "en",
        "ur-PK": "ur",
        "fa-IR": "fa-AF",
    }.items():
        page = site.get(f"/subscribe/?calendar=court&lang={tag}").text
        assert dict(Form(page).pairs)["lang"] == found, tag
        assert page.count('<option value="ur"') == 1


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/subscribe/", ""),
        ("/subscribe/court/", "calendar=court"),
        (
            "/subscribe/court/?category=address&category=deadline",
            "calendar=court:address,deadline",
        ),
        ("/subscribe/?category=deadline", "category=deadline"),
        ("/subscribe/?event=court/session", "event=court/session"),
    ],
)
def test_the_form_begins_with_what_the_page_is_about(
    site: Published, path: str, query: str
) -> None:
    pairs = Form(site.get(path).text).pairs
    sent = [(name, value) for name, value in pairs if name in ("calendar", "category", "event")]
    if not query:
        assert sent == []
    else:
        assert parse_choice(urlencode(sent))[0] == parse_choice(query)[0]


def test_an_empty_form_is_everything(site: Published) -> None:
    pairs = Form(site.get("/subscribe/").text).pairs
    assert feed_of(site.get(f"/subscribe/?{urlencode(pairs)}").text) == feed_of(
        site.get("/subscribe/?lang=en").text
    )


def test_the_page_of_a_choice_lists_its_dates_and_no_others(site: Published) -> None:
    page = site.get(f"/choice/?{CHOICE}").text
    assert titles(page) == ["Hearing", "Debate", "Visa", "Party"]
    assert 'href="/calendars/un/debate/"' in page
    later = site.get(f"/choice/?{CHOICE}&from=2026-12-20").text
    assert titles(later) == ["Visa", "Party"]
    assert "calendar=court%3Aaddress" in later, "its links keep the choice"


def test_what_moved_lately_is_there_for_the_events_of_the_choice_alone(site: Published) -> None:
    court = COURT.replace("2026-12-01 10", "2026-12-03 10").replace("2026-12-09", "2026-12-10")
    site.publish(ALL | {"court": court})
    assert titles(site.get("/choice/?calendar=court:address").text) == ["Hearing", "Hearing"]
    assert "What moved lately" not in site.get("/choice/?calendar=desk").text


def test_links_and_zone_form_keep_the_choice_and_its_options(site: Published) -> None:
    page = unescape(site.get(f"/choice/?{CHOICE}&zone=Asia/Tokyo").text)
    wanted = parse_choice(CHOICE)
    for path in ("/choice/", "/subscribe/", "/embed/choice/"):
        links = re.findall(rf'href="{path}\?([^"#]*)', page)
        assert links, path
        for query in links:
            assert "zone=Asia%2FTokyo" in query
            chosen, options = parse_choice(query)
            assert (chosen, options.own_alarms) == (wanted[0], wanted[1].own_alarms), path
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    assert parse_choice(urlencode(fields)) == wanted


def test_the_snippet_is_html_whatever_the_names_are(site: Published) -> None:
    site.publish({"court": COURT.replace("en: Court", "en: '\"<b>&'")})
    page = site.get("/choice/?calendar=court&event=court/filing").text
    found = re.search(r'id="snippet"[^>]* value="([^"]*)"', page)
    assert found
    snippet = unescape(found[1])
    assert snippet.startswith(f'<iframe src="{BASE}/embed/choice/?calendar=court" ')
    assert 'title="&#34;&lt;b&gt;&amp;"' in snippet


def test_the_embed_can_be_framed_and_shows_the_choice(site: Published) -> None:
    response = site.get(f"/embed/choice/?{CHOICE}")
    assert "frame-ancestors *" in response.headers["Content-Security-Policy"]
    assert titles(response.text) == ["Hearing", "Debate", "Visa", "Party"]


def test_a_calendar_called_choice_keeps_its_embed(site: Published) -> None:
    site.publish(ALL | {"choice": COURT.replace("Court", "Choices")})
    assert "Choices" in site.get("/embed/choice/").text
    assert titles(site.get("/embed/choice/?category=address").text) == ["Hearing"]
    assert titles(site.get("/embed/choice/?calendar=un").text) == ["Debate"]


def test_a_page_without_a_choice_leads_to_the_form(site: Published) -> None:
    response = site.get("/choice/?lang=ur")
    assert (response.status_code, response.headers["Location"]) == (302, "/subscribe/?lang=ur")


def test_an_unknown_name_is_told_to_people(site: Published) -> None:
    response = site.get("/choice/?calendar=cort&event=un/debate", Accept="text/html")
    assert response.status_code == 400
    assert "There is no calendar, category or event called \u2068cort\u2069." in response.text


def test_ways_without_a_choice_are_said_and_the_nearest_is_offered(site: Published) -> None:
    app = make_flask(site.state, BASE, mails=True)
    page = Client(app).get(f"/subscribe/?{CHOICE}").text
    assert "Has whole calendars only" in page
    for link in (
        "/follow/court/?category=address",
        "/follow/desk/",
        "/follow/un/debate/",
    ):
        assert f'href="{link}"' in page


def test_equal_choices_share_one_cached_page(site: Published) -> None:
    cached = Client(PageCache(make_flask(site.state, BASE).wsgi_app, site.state))
    one = cached.get("/choice/?calendar=desk&calendar=court&event=un/debate&x=1")
    other = cached.get("/choice/?event=un/debate&calendar=court&calendar=desk")
    assert one.headers["ETag"] == other.headers["ETag"]


def test_a_site_of_files_has_no_choices(site: Published) -> None:
    files = dict(export.make_site(site.database, BASE, NOW))
    assert not [name for name in files if "choice" in name]
    for name, body in files.items():
        if name.endswith(".html"):
            assert b"choice" not in body.replace(b'name="choice"', b""), name
            assert b"#choose" not in body, name


def test_an_address_that_is_too_long_for_a_qr_code_has_none(site: Published) -> None:
    """A feed accepts it, so its pages have to."""
    names = [f"a-date-with-quite-a-long-name-number-{number:03}" for number in range(75)]
    events = "".join(f"  {name}: {{summary: S, start: 2026-12-09}}\n" for name in names)
    site.publish({"court": f"name: Court\ntime_zone: UTC\nevents:\n{events}"})
    query = "&".join(f"event=court/{name}" for name in names)
    assert site.get(f"/choice.ics?{query}").status_code == 200
    for path in ("/choice/", "/subscribe/"):
        page = site.get(f"{path}?{query}")
        assert page.status_code == 200
        assert 'class="qr"' not in page.text
    assert 'class="qr"' in site.get(f"/subscribe/?event=court/{names[0]}").text
