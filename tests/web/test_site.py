"""A site has its own name, logo, colours and pages, wherever a reader looks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from calfeed.web.pages import export
from tests.web.published import BASE, NOW, Published, make_site

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><path d="M1 1h9v9z"/></svg>'
CALENDAR = (
    "name: Desk\ntime_zone: Asia/Karachi\nevents:\n"
    "  hearing: {summary: Hearing, start: 2026-12-04 10:00}\n"
)
SITE = """\
name: {en: Lyon & friends, ur: لیون}
title: Dates in Lyon
text: <b>We</b> keep them.
languages: [en, ur]
logo: site/logo.svg
icon: site/logo.svg
accent: "#7a1f5c"
imprint: {en: site/who.md, ur: site/who.ur.md}
privacy: site/who.md
contact: desk@example.org
time_zone: America/New_York
first_day: saturday
"""
FILES = {
    "desk": CALENDAR,
    "site": SITE,
    "site/logo.svg": SVG,
    "site/who.md": "We are **Lyon**. <script>alert(1)</script> [Mail](mailto:a@example.org)",
    "site/who.ur.md": "ہم لیون ہیں",
}

PAGES = ["/", "/calendars/desk/", "/calendars/desk/hearing/", "/subscribe/desk/", "/nothing/"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish(FILES)
    yield site
    site.database.close()


def plain(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.mark.parametrize("path", [*PAGES, "/imprint/", "/privacy/"])
def test_every_page_has_the_sites_name_logo_and_colours(site: Published, path: str) -> None:
    page = site.get(path, Accept="text/html").text
    assert re.search(r"<title>[^<]*· Lyon &amp; friends</title>", page)
    assert re.search(r'<img class="own-logo" src="/site/logo-[0-9a-f]{12}\.svg"', page)
    assert re.search(r'<link rel="stylesheet" href="/site/theme-[0-9a-f]{12}\.css">', page)
    assert re.search(r'<link rel="icon" href="/site/icon-[0-9a-f]{12}\.svg" type="image/svg', page)
    assert 'href="/imprint/"' in page
    assert 'href="mailto:desk@example.org"' in page
    assert [*re.findall("calfeed", page)] == ["calfeed"]  # the credit in the footer
    assert "Made with calfeed" in plain(page)


@pytest.mark.parametrize("path", PAGES)
def test_the_credit_can_be_turned_off(site: Published, path: str) -> None:
    site.publish({**FILES, "site": SITE + "credit: no\n"})
    assert "calfeed" not in site.get(path, Accept="text/html").text


def test_the_name_is_in_the_readers_language(site: Published) -> None:
    assert "· لیون</title>" in site.get("/?lang=ur").text


def test_the_home_page_begins_with_the_sites_own_words_as_text(site: Published) -> None:
    page = site.get("/").text
    assert '<h1><bdi lang="en" dir="ltr">Dates in Lyon</bdi></h1>' in page
    assert "&lt;b&gt;We&lt;/b&gt; keep them." in page


def test_without_a_title_the_home_page_has_the_name(site: Published) -> None:
    site.publish({**FILES, "site": "name: Lyon\nlanguages: [en]\n"})
    page = site.get("/").text
    assert '<h1><bdi lang="en" dir="ltr">Lyon</bdi></h1>' in page
    assert "<title>Lyon</title>" in page


def test_files_are_served_under_names_of_their_content_and_nothing_in_them_runs(
    site: Published,
) -> None:
    (path,) = set(re.findall(r'src="(/site/logo[^"]+)"', site.get("/").text))
    response = site.get(path)
    assert response.data == SVG.encode()
    assert response.content_type == "image/svg+xml"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    site.publish({**FILES, "site/logo.svg": SVG.replace("1", "2")})
    assert site.get(path).status_code == 404
    (other,) = set(re.findall(r'src="(/site/logo[^"]+)"', site.get("/").text))
    assert other != path


def test_the_theme_has_the_accent_for_light_and_dark(site: Published) -> None:
    (path,) = re.findall(r'href="(/site/theme[^"]+)"', site.get("/").text)
    response = site.get(path)
    assert response.content_type == "text/css; charset=utf-8"
    assert re.search(r"--accent: light-dark\(#7a1f5c, #[0-9a-f]{6}\);", response.text)


@pytest.mark.parametrize("name", ["", "logo.svg", "theme.css", "logo-000000000000.svg", "..%2fx"])
def test_other_names_of_files_are_not_found(site: Published, name: str) -> None:
    assert site.get(f"/site/{name}").status_code == 404


def test_the_pages_about_the_site_are_markdown_in_the_readers_language(site: Published) -> None:
    page = site.get("/imprint/").text
    assert "We are <strong>Lyon</strong>." in page
    assert "<script>alert" not in page
    assert 'href="mailto:a@example.org"' in page
    urdu = site.get("/imprint/?lang=ur").text
    assert '<div class="prose" lang="ur" dir="rtl"><p>ہم لیون ہیں</p></div>' in urdu
    # In another language where it has no text in this one.
    assert '<div class="prose" lang="en" dir="ltr">' in site.get("/privacy/?lang=ur").text
    assert site.get("/accessibility/").status_code == 404


LINKS = {
    "/calendars/desk/": "/calendars/desk/",
    "../privacy/#data": "/privacy/#data",
    "..": "/",
    "?lang=ur": "/imprint/?lang=ur",
    "#here": "#here",
    "/calendars/desk/?view=month&month=2026-12": "/calendars/desk/?month=2026-12&view=month",
    "/calendars/desk.ics?alarms=0": "/calendars/desk.ics?alarms=0",
    "..//[evil.example": "/[evil.example",
    "/?path=x": "/?path=x",
}


def links_of(site: Published, path: str, **environment: str) -> list[str]:
    page = site.client.get(path, environ_overrides=environment).text
    return [unescape(link) for link in re.findall(r'<a href="([^"]*)" rel="noreferrer">l<', page)]


def test_the_pages_about_the_site_link_to_its_other_pages(site: Published) -> None:
    site.publish({**FILES, "site/who.md": " ".join(f"[l](<{link}>)" for link in LINKS)})
    assert links_of(site, "/imprint/") == [link.replace("[", "%5B") for link in LINKS.values()]


def test_links_on_the_pages_about_the_site_keep_its_path_and_the_readers_language(
    site: Published,
) -> None:
    text = "[l](/calendars/desk/) [l](../imprint/?lang=en) [l](/calendars/desk.ics)"
    site.publish({**FILES, "site/who.md": text})
    assert links_of(site, "/privacy/?lang=ur", SCRIPT_NAME="/dates") == [
        "/dates/calendars/desk/?lang=ur",
        "/dates/imprint/?lang=en",
        "/dates/calendars/desk.ics",
    ]


@pytest.mark.parametrize("prefix", ["", "/dates"])
def test_links_on_the_exported_pages_about_the_site_lead_to_files(
    site: Published, prefix: str
) -> None:
    text = "[l](/calendars/desk/?view=month) [l](../imprint/?lang=ur) [l](/calendars/desk/#moved)"
    site.publish({**FILES, "site/who.md": text})
    files = dict(export.make_site(site.database, BASE + prefix, NOW))
    page = files["privacy/index.html"].decode()
    links = re.findall(r'<a href="([^"]*)" rel="noreferrer">l<', page)
    assert links == [
        f"{prefix}/calendars/desk/index.month.html",
        f"{prefix}/imprint/index.ur.html",
        f"{prefix}/calendars/desk/#moved",
    ]
    other = files["privacy/index.ur.html"].decode()
    assert f'<a href="{prefix}/calendars/desk/index.ur.html#moved"' in other


def test_a_page_about_the_site_has_one_title(site: Published) -> None:
    site.publish({**FILES, "site/who.md": "# Who we are\n\n## Where\n"})
    page = site.get("/imprint/").text
    assert page.count("<h1") == 1
    assert "<h2>Who we are</h2>\n<h3>Where</h3>" in page


def test_the_first_day_and_the_time_zone_are_those_of_the_site(site: Published) -> None:
    month = site.get("/calendars/desk/?view=month&month=2026-12").text
    assert re.findall(r"<abbr[^>]*>|<th[^>]*>(?:<[^>]+>)*([A-Z][a-z]+)", month)[0] == "Sat"
    assert re.search(r'<option value="America/New_York"[^>]* selected', site.get("/").text)


@pytest.mark.parametrize("path", ["/choice/", "/embed/choice/"])
def test_a_choice_of_calendars_in_several_zones_is_in_that_of_the_site(
    site: Published, path: str
) -> None:
    other = CALENDAR.replace("Desk", "Court").replace("Asia/Karachi", "Europe/Paris")
    site.publish({**FILES, "court": other})
    page = site.get(f"{path}?calendar=court,desk").text
    # 10:00 in Karachi and in Paris.
    assert re.findall(r"\b\d\d:\d\d\b", plain(page))[:2] == ["00:00", "04:00"]


def test_a_changed_site_is_published_and_one_that_stays_is_not(site: Published) -> None:
    before = site.state.snapshot.version
    site.publish(FILES)
    assert site.state.snapshot.version == before
    site.publish({**FILES, "site": SITE.replace("Lyon &", "Lille &")})
    assert "· Lille &amp; friends</title>" in site.get("/").text


def test_feeds_stay_the_same_when_only_the_look_changes(site: Published) -> None:
    feed = site.get("/calendars/desk.ics")
    site.publish({**FILES, "site": SITE.replace("#7a1f5c", "#123456")})
    assert site.get("/calendars/desk.ics").headers["ETag"] == feed.headers["ETag"]


def test_a_site_that_is_removed_leaves_the_default_one(site: Published) -> None:
    site.publish({"desk": CALENDAR})
    page = site.get("/").text
    assert "<title>Key dates · calfeed</title>" in page
    assert "/site/" not in page


def test_the_exported_site_has_the_same_files_and_pages(site: Published) -> None:
    files = dict(export.make_site(site.database, BASE, NOW))
    home = files["index.html"].decode()
    linked = re.findall(r'(?:src|href)="(/site/[^"]+)"', home)
    assert len(linked) == 3
    for path in linked:
        assert files[path[1:]] == site.get(path).data
    assert b"We are <strong>Lyon</strong>." in files["imprint/index.html"]
    assert "ہم لیون".encode() in files["imprint/index.ur.html"]
    assert "accessibility/index.html" not in files
