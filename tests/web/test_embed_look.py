"""An embed looks as its address says, and is legible in any case."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.model.contrast import ENOUGH, lowest_contrast
from calfeed.web.pages import export
from calfeed.web.site.files import find_embed_theme, make_embed_theme
from tests.web.published import BASE, NOW, Published, make_site

DESK = """
name: {en: The <desk> & Co, ur: ڈیسک}
time_zone: Asia/Karachi
events:
  hearing: {summary: {en: "Hearing </textarea> & more", ur: سماعت}, start: 2026-12-04 10:00}
  stay: {summary: Stay ends, start: 2026-12-11, kind: deadline}
  fair: {summary: Fair, start: 2026-12-12, end: 2026-12-14, status: cancelled}
  ruling: {summary: Ruling, start: 2027-06}
  talk: {summary: Talk, start: postponed from 2026-12-20}
"""
EMBED = "/embed/desk/"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish({"desk": DESK})
    yield site
    site.database.close()


def colors_of(css: str) -> list[tuple[str, str]]:
    """The accent in light and in dark, its ink, and its tint."""
    return re.findall(r"light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", css)


def plain_list(site: Published, path: str) -> str:
    (text,) = re.findall(r'<textarea id="plain"[^>]*>(.*?)</textarea>', site.get(path).text, re.S)
    return unescape(text)


@pytest.mark.parametrize(
    ("query", "root", "body"),
    [
        ("", "", "embedded"),
        ("?theme=auto", "", "embedded"),
        ("?theme=dark", "theme-dark", "embedded"),
        ("?theme=light&border=none", "theme-light", "embedded flush"),
        ("?border=none&lang=ur", "", "embedded flush"),
        ("?utm_source=x&theme=", "", "embedded"),
    ],
)
def test_the_address_of_an_embed_chooses_its_look(
    site: Published, query: str, root: str, body: str
) -> None:
    page = site.get(EMBED + query).text
    found = re.search(r"<html [^>]*?(?: class=\"([^\"]*)\")?>", page)
    assert found is not None
    assert (found[1] or "") == root
    assert f'<body class="{body}">' in page
    assert "style=" not in page


@pytest.mark.parametrize("accent", ["7a1f5c", "7A1F5C", "%237a1f5c"])
def test_an_accent_is_a_style_sheet_of_this_site(site: Published, accent: str) -> None:
    page = site.get(f"{EMBED}?accent={accent}").text
    assert '<link rel="stylesheet" href="/site/embed-7a1f5c.css">' in page
    response = site.get("/site/embed-7a1f5c.css")
    assert response.content_type == "text/css; charset=utf-8"
    assert colors_of(response.text)[0][0] == "#7a1f5c"


def test_an_accent_comes_in_the_place_of_that_of_the_site(site: Published) -> None:
    site.publish({"desk": DESK, "site": 'name: Lyon\nlanguages: [en]\naccent: "#123456"\n'})
    assert "/site/theme-" in site.get(EMBED).text
    page = site.get(f"{EMBED}?accent=7a1f5c").text
    assert "/site/theme-" not in page
    assert "/site/embed-7a1f5c.css" in page


@given(st.integers(0, 0xFFFFFF))
def test_every_accent_becomes_one_that_can_be_read(number: int) -> None:
    css = make_embed_theme(f"#{number:06x}").content.decode()
    light, dark = colors_of(css)[0]
    assert lowest_contrast(light) >= ENOUGH
    assert lowest_contrast(dark, dark=True) >= ENOUGH


@pytest.mark.parametrize(
    "query",
    [
        *("theme=pink", "border=1", "accent=red", "accent=7a1f5", "accent=7a1f5c;}", "accent=#"),
        "accent=%3Cb%3E",
    ],
)
def test_a_look_that_there_is_not_is_refused_with_what_would_be_right(
    site: Published, query: str
) -> None:
    response = site.get(f"{EMBED}?{query.replace('#', '%23')}", Accept="text/html")
    assert response.status_code == 400
    name = query.partition("=")[0]
    assert f"“{name}” cannot be “" in response.text
    assert "<b>" not in response.text


@pytest.mark.parametrize("name", ["embed-.css", "embed-7A1F5C.css", "embed-7a1f5c0.css", "embed"])
def test_there_are_no_other_style_sheets(name: str) -> None:
    assert find_embed_theme(name) is None


def test_another_time_zone_keeps_the_look(site: Published) -> None:
    page = site.get(f"{EMBED}?theme=dark&accent=7a1f5c&border=none").text
    for name, value in (("theme", "dark"), ("accent", "7a1f5c"), ("border", "none")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in page


def test_the_calendar_offers_its_next_dates_as_html_to_paste(site: Published) -> None:
    assert plain_list(site, "/calendars/desk/").splitlines() == [
        '<ul lang="en" dir="ltr">',
        '<li><time datetime="2026-12-04T10:00:00+05:00">4 December 2026 · 10:00</time>:'
        f' <a href="{BASE}/calendars/desk/hearing/">'
        '<bdi lang="en" dir="ltr">Hearing &lt;/textarea&gt; &amp; more</bdi></a></li>',
        f'<li>by the end of 11 December 2026 in Karachi: <a href="{BASE}/calendars/desk/stay/">'
        '<bdi lang="en" dir="ltr">Stay ends</bdi></a></li>',
        '<li><del><time datetime="2026-12-12">12 December 2026 · until 14 December 2026</time>'
        f'</del>: <a href="{BASE}/calendars/desk/fair/">'
        '<bdi lang="en" dir="ltr">Fair</bdi></a> (cancelled)</li>',
        f'<li>it was Sunday, 20 December 2026: <a href="{BASE}/calendars/desk/talk/">'
        '<bdi lang="en" dir="ltr">Talk</bdi></a> (postponed)</li>',
        f'<li>June 2027, day not yet known: <a href="{BASE}/calendars/desk/ruling/">'
        '<bdi lang="en" dir="ltr">Ruling</bdi></a></li>',
        "</ul>",
        f'<p lang="en" dir="ltr"><a href="{BASE}/calendars/desk/">'
        '<bdi lang="en" dir="ltr">The &lt;desk&gt; &amp; Co</bdi></a>'
        " · As of 23 November 2026 · Times in Karachi</p>",
    ]


def test_the_list_to_paste_is_in_the_language_and_zone_of_the_page(site: Published) -> None:
    text = plain_list(site, "/calendars/desk/?lang=ur&zone=UTC")
    assert text.startswith('<ul lang="ur" dir="rtl">')
    assert f'href="{BASE}/calendars/desk/hearing/?lang=ur&amp;zone=UTC"' in text
    assert "2026-12-04T10:00:00+05:00" in text
    assert "05:00</time>" in text


def test_a_calendar_without_dates_offers_no_list(site: Published) -> None:
    past = "name: Past\ntime_zone: UTC\nevents: {one: {summary: One, start: 2026-01-01}}\n"
    site.publish({"desk": DESK, "past": past})
    page = site.get("/calendars/past/").text
    assert "iframe" in page
    assert "textarea" not in page


def test_the_list_of_an_exported_site_leads_to_its_files(site: Published) -> None:
    base = f"{BASE}/dates"
    files = dict(export.make_site(site.database, base, NOW))
    page = unescape(files["calendars/desk/index.ur.html"].decode())
    plain = page[page.index("<textarea") : page.index("</textarea>", page.index("</ul>"))]
    links = re.findall(rf'href="{base}/([^"]*)"', unescape(plain))
    assert len(links) == 6
    assert all(link in files for link in links)
    assert "theme=" not in page
