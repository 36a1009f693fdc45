"""Search engines, previews of links and browsers are told what a page is, and where it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from struct import unpack_from
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import pytest

from calfeed.model.site import Site
from calfeed.web.pages import export
from calfeed.web.pages.query import normalize_query
from calfeed.web.sharing.routes import write_security
from calfeed.web.sharing.sitemap import Page, list_pages, make_index, make_sitemaps
from tests.web.published import BASE, NOW, Published, make_site

DESK = """
name: {en: "The \\"desk\\" & Co", ur: ڈیسک}
description: "What the desk <b>keeps</b> an eye on."
time_zone: Asia/Karachi
events:
  hearing: {summary: {en: "Hearing \\"A\\" & B", ur: سماعت}, start: 2026-12-04 10:00}
  stay: {summary: Stay ends, start: %s, kind: deadline, description: The last day.}
  ruling: {summary: Ruling, start: 2027-06}
"""
SITE = "name: Lyon\nlanguages: [en]\nicon: site/icon.svg\nimprint: site/who.md\n"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9H0z"/></svg>'
LANGUAGES = ["en", "ur", "ps", "fa-AF"]
NAMESPACES = {
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "x": "http://www.w3.org/1999/xhtml",
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish({"desk": DESK % "2026-12-11"})
    yield site
    site.database.close()


def find_links(page: str) -> tuple[list[str], dict[str, str]]:
    """The canonical URLs of a page, and those of its languages."""
    canonical = re.findall(r'<link rel="canonical" href="([^"]*)">', page)
    languages = re.findall(r'<link rel="alternate" hreflang="([^"]*)" href="([^"]*)">', page)
    return [unescape(url) for url in canonical], {tag: unescape(url) for tag, url in languages}


def find_properties(page: str) -> dict[str, str]:
    found = re.findall(r'<meta (?:property|name)="([^"]*)" content="([^"]*)">', page)
    return {name: unescape(text) for name, text in found}


@pytest.mark.parametrize(
    ("asked", "canonical"),
    [
        ("/", "/"),
        ("/?lang=en", "/"),
        ("/?lang=ur", "/?lang=ur"),
        ("/?lang=ur-PK&zone=Asia/Tokyo", "/?lang=ur"),
        ("/?zone=Asia/Tokyo", "/"),
        ("/?utm_source=x&theme=dark", "/"),
        ("/calendars/desk/?from=2026-12-05&zone=UTC", "/calendars/desk/?from=2026-12-05"),
        ("/?until=2027-01-01&skip=2", "/?skip=2&until=2027-01-01"),
        ("/?from=2027-01-01&begun=2&zone=UTC", "/?begun=2&from=2027-01-01"),
        (
            "/calendars/desk/?view=month&month=2026-12&lang=ps",
            "/calendars/desk/?lang=ps&month=2026-12&view=month",
        ),
        ("/calendars/desk/hearing/?zone=UTC&lang=fr", "/calendars/desk/hearing/"),
        ("/subscribe/desk/", "/subscribe/desk/"),
    ],
)
def test_a_page_has_one_canonical_url_whatever_it_was_asked_for_with(
    site: Published, asked: str, canonical: str
) -> None:
    assert find_links(site.get(asked).text)[0] == [BASE + canonical]


def test_without_a_language_in_the_url_the_canonical_one_is_that_of_the_readers_language(
    site: Published,
) -> None:
    page = site.get("/calendars/desk/", Accept_Language="ur").text
    assert find_links(page)[0] == [f"{BASE}/calendars/desk/?lang=ur"]


def test_each_language_of_a_page_names_the_same_others(site: Published) -> None:
    expected = {
        "en": f"{BASE}/calendars/desk/hearing/",
        **{tag: f"{BASE}/calendars/desk/hearing/?lang={tag}" for tag in LANGUAGES[1:]},
        "x-default": f"{BASE}/calendars/desk/hearing/",
    }
    for tag in LANGUAGES:
        assert find_links(site.get(f"/calendars/desk/hearing/?lang={tag}").text)[1] == expected


@pytest.mark.parametrize("path", ["/?q=hearing", "/?q=nothing&lang=ur"])
def test_a_search_is_not_indexed_and_is_nobodys_canonical_page(site: Published, path: str) -> None:
    page = site.get(path).text
    assert '<meta name="robots" content="noindex">' in page
    assert find_links(page) == ([], {})


@pytest.mark.parametrize(
    "path",
    [
        "/choice/?calendar=desk&event=desk%2Fstay",
        "/subscribe/?alarms=1h&calendar=desk",
        "/choice/?calendar=desk&lang=ur",
    ],
)
def test_a_choice_is_shared_as_it_is_with_a_preview_and_not_indexed(
    site: Published, path: str
) -> None:
    page = site.get(f"{path}&zone=Asia/Tokyo").text
    shown = find_properties(page)
    assert page.count('<meta name="robots" content="noindex">') == 1
    assert find_links(page) == ([BASE + path], {})
    assert shown["og:url"] == BASE + path
    assert {"og:title", "og:description", "og:image"} <= shown.keys()


@pytest.mark.parametrize("path", ["/nothing/", "/calendars/desk/nothing/", "/?from=2026-99-99"])
def test_an_error_has_nothing_to_share(site: Published, path: str) -> None:
    page = site.get(path, Accept="text/html").text
    assert "og:" not in page
    assert find_links(page) == ([], {})


def test_a_preview_says_what_the_page_is_about_as_text(site: Published) -> None:
    found = find_properties(site.get("/calendars/desk/?lang=en").text)
    assert found["og:title"] == 'The "desk" & Co'
    assert found["og:description"] == "What the desk <b>keeps</b> an eye on."
    assert found["og:site_name"] == "calfeed"
    assert found["og:url"] == f"{BASE}/calendars/desk/"
    assert found["og:locale"] == "en_GB"


def test_a_preview_of_an_event_says_when_it_is_and_that_it_moved(site: Published) -> None:
    first = find_properties(site.get("/calendars/desk/stay/").text)["og:description"]
    due = "by the end of Friday, 11 December 2026 in Karachi"
    assert first == f"deadline · {due} · The last day."
    site.publish({"desk": DESK % "2026-12-18"})
    moved = find_properties(site.get("/calendars/desk/stay/").text)["og:description"]
    assert moved.startswith("moved · deadline · by the end of Friday, 18 December 2026")
    assert "Was Friday, 11 December 2026" in moved
    open_day = find_properties(site.get("/calendars/desk/ruling/").text)["og:description"]
    assert open_day == "day open · June 2027, day not yet known"


def test_a_long_text_about_a_page_is_cut_between_words(site: Published) -> None:
    long = DESK.replace("The last day.", "word and " * 60) % "2026-12-11"
    site.publish({"desk": long})
    text = find_properties(site.get("/calendars/desk/stay/").text)["og:description"]
    assert len(text) <= 201
    assert re.search(r" (word|and)…$", text)


def test_robots_may_read_the_pages_and_nothing_that_is_not_for_them(site: Published) -> None:
    response = site.get("/robots.txt")
    assert response.content_type == "text/plain; charset=utf-8"
    rules = RobotFileParser()
    rules.parse(response.text.splitlines())
    for path in ("/", "/calendars/desk/", "/calendars/desk/stay/", "/subscribe/desk/", "/static/x"):
        assert rules.can_fetch("Googlebot", BASE + path)
    for path in ("/console/", "/api/v1/calendars", "/follow/desk/", "/private/x.ics", "/dav/"):
        assert not rules.can_fetch("Googlebot", BASE + path)
    # Python's parser knows no wildcards (RFC 9309, 2.2.3).
    assert {"Disallow: /*?q=", "Disallow: /*&q="} <= {*response.text.splitlines()}
    assert f"Sitemap: {BASE}/sitemap.xml" in response.text.splitlines()


@pytest.mark.parametrize(
    ("contact", "written"),
    [
        ("desk@example.org", "mailto:desk@example.org"),
        ("https://example.org/contact", "https://example.org/contact"),
    ],
)
def test_security_txt_names_the_contact_and_when_it_ends(
    site: Published, contact: str, written: str
) -> None:
    site.publish(
        {
            "desk": DESK % "2026-12-11",
            "site": f"name: Lyon\nlanguages: [fr, ar]\ncontact: {contact}",
        }
    )
    response = site.get("/.well-known/security.txt")
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.text.splitlines() == [
        f"Contact: {written}",
        f"Expires: {(NOW + timedelta(days=180)).date()}T00:00:00Z",
        "Preferred-Languages: fr, ar",
        f"Canonical: {BASE}/.well-known/security.txt",
    ]


@pytest.mark.parametrize("line", ["", "contact: http://example.org/contact"])
def test_there_is_no_security_txt_without_a_contact_that_the_rfc_allows(
    site: Published, line: str
) -> None:
    site.publish({"desk": DESK % "2026-12-11", "site": f"name: Lyon\nlanguages: [fr]\n{line}"})
    assert site.get("/.well-known/security.txt").status_code == 404


def test_below_a_path_security_txt_is_canonical_at_the_root() -> None:
    text = write_security(Site(contact="desk@example.org"), f"{BASE}/dates", NOW)
    assert text is not None
    assert f"Canonical: {BASE}/.well-known/security.txt\n" in text


def test_the_sitemap_has_the_canonical_url_of_every_page_in_every_language(
    site: Published,
) -> None:
    response = site.get("/sitemap.xml")
    assert response.content_type == "application/xml; charset=utf-8"
    tree = ElementTree.fromstring(response.data)
    urls = [url.findtext("s:loc", "", NAMESPACES) for url in tree.findall("s:url", NAMESPACES)]
    pages = ["/", "/subscribe/", "/calendars/desk/", "/subscribe/desk/"]
    pages += [f"/calendars/desk/{name}/" for name in ("hearing", "stay", "ruling")]
    assert len(urls) == len(set(urls)) == len(pages) * len(LANGUAGES)
    assert {urlsplit(url).path for url in urls} == set(pages)
    for url, entry in zip(urls, tree.findall("s:url", NAMESPACES), strict=True):
        page = site.get(url.removeprefix(BASE))
        canonical, languages = find_links(page.text)
        assert canonical == [url]
        links = entry.findall("x:link", NAMESPACES)
        assert {link.get("hreflang"): link.get("href") for link in links} == languages


def test_the_sitemap_says_when_a_date_changed_last(site: Published) -> None:
    site.now = NOW.replace(day=25)
    site.publish({"desk": DESK % "2026-12-18"})
    tree = ElementTree.fromstring(site.get("/sitemap.xml").data)
    modified = {
        url.findtext("s:loc", "", NAMESPACES): url.findtext("s:lastmod", None, NAMESPACES)
        for url in tree.findall("s:url", NAMESPACES)
    }
    assert modified[f"{BASE}/calendars/desk/stay/"] == "2026-11-25T12:00:00Z"
    assert modified[f"{BASE}/calendars/desk/hearing/"] == "2026-11-23T12:00:00Z"
    assert modified[f"{BASE}/calendars/desk/"] == "2026-11-25T12:00:00Z"


@pytest.mark.parametrize(("most", "size"), [(3, 50_000_000), (50_000, 2_000)])
def test_a_large_sitemap_is_split_and_loses_nothing(site: Published, most: int, size: int) -> None:
    pages = list(list_pages(site.state.snapshot))

    def locations(sitemaps: list[bytes]) -> list[str | None]:
        trees = [ElementTree.fromstring(sitemap) for sitemap in sitemaps]
        return [loc.text for tree in trees for loc in tree.iterfind("s:url/s:loc", NAMESPACES)]

    (whole,) = make_sitemaps(iter(pages), LANGUAGES, lambda address: BASE + address)
    parts = make_sitemaps(iter(pages), LANGUAGES, lambda address: BASE + address, most, size)
    assert len(parts) > 1
    assert locations(parts) == locations([whole])
    for part in parts:
        assert len(part) <= size
        assert len(locations([part])) <= most
    index = ElementTree.fromstring(make_index(len(parts), lambda address: BASE + address))
    named = [loc.text for loc in index.iterfind("s:sitemap/s:loc", NAMESPACES)]
    assert named == [f"{BASE}/sitemap-{n}.xml" for n in range(1, len(parts) + 1)]


def test_a_sitemap_that_is_not_split_has_no_parts(site: Published) -> None:
    assert site.get("/sitemap-1.xml").status_code == 404


def test_the_icons_of_a_site_without_its_own_are_those_of_calfeed(site: Published) -> None:
    favicon = site.get("/favicon.ico")
    assert favicon.content_type == "image/x-icon"
    assert unpack_from("<HHH", favicon.data) == (0, 1, 1)
    touch = site.get("/apple-touch-icon.png")
    assert touch.content_type == "image/png"
    assert unpack_from(">II", touch.data, 16) == (180, 180)


def test_the_manifest_names_the_site_and_icons_that_are_there(site: Published) -> None:
    response = site.get("/manifest.webmanifest")
    assert response.content_type == "application/manifest+json; charset=utf-8"
    found = json.loads(response.text)
    assert found["name"] == "calfeed"
    assert urljoin(f"{BASE}/dates/manifest.webmanifest", found["start_url"]) == f"{BASE}/dates/"
    for icon in found["icons"]:
        image = site.client.get("/" + icon["src"], buffered=True)
        assert image.status_code == 200
        assert image.content_type.partition(";")[0] == icon["type"]
    assert '<link rel="manifest" href="/manifest.webmanifest">' in site.get("/").text


def test_in_an_exported_site_below_a_path_all_of_these_urls_are_files(site: Published) -> None:
    base = f"{BASE}/dates"
    files = dict(export.make_site(site.database, base, NOW))

    def there(url: str) -> bool:
        path = url.removeprefix(f"{base}/")
        return url.startswith(f"{base}/") and (path in files or f"{path}index.html" in files)

    for name, body in files.items():
        if name.endswith(".html") and name != "404.html" and not name.startswith("embed/"):
            canonical, languages = find_links(body.decode())
            assert len(canonical) == 1
            assert there(canonical[0])
            assert canonical[0].removeprefix(f"{base}/") in (name, name.removesuffix("index.html"))
            assert all(there(url) for url in languages.values())
    tree = ElementTree.fromstring(files["sitemap.xml"])
    assert all(there(loc.text or "") for loc in tree.iterfind("s:url/s:loc", NAMESPACES))
    assert f"Sitemap: {base}/sitemap.xml" in files["robots.txt"].decode()
    manifest = json.loads(files["manifest.webmanifest"])
    assert all(icon["src"] in files for icon in manifest["icons"])
    assert {"favicon.ico", "apple-touch-icon.png"} <= files.keys()


def test_an_exported_site_leaves_out_icons_that_nobody_can_draw(site: Published) -> None:
    site.publish(
        {"desk": DESK % "2026-12-11", "site": SITE, "site/icon.svg": SVG, "site/who.md": "We."}
    )
    files = dict(export.make_site(site.database, BASE, NOW))
    assert not {"favicon.ico", "apple-touch-icon.png"} & files.keys()
    assert b"apple-touch-icon" not in files["index.html"]
    assert b"apple-touch-icon" not in files["manifest.webmanifest"]
    drawn = dict(export.make_site(site.database, BASE, NOW, pictures=True))
    assert unpack_from(">II", drawn["apple-touch-icon.png"], 16) == (180, 180)
    assert unpack_from("<BB", drawn["favicon.ico"], 6) == (48, 48)


def test_a_very_large_site_has_its_default_language_in_the_sitemap(site: Published) -> None:
    """The links between its languages would take minutes and a gigabyte."""
    pages = [Page(f"/calendars/desk/e{number}/", None) for number in range(2_000)]
    (small,) = make_sitemaps(pages[:500], LANGUAGES, lambda address: BASE + address)
    assert small.count(b"<url>") == 500 * len(LANGUAGES)
    tags = [f"x{number}" for number in range(10)]
    (large,) = make_sitemaps(pages, tags, lambda address: BASE + address)
    assert large.count(b"<url>") == 2_000
    assert b"hreflang" not in large


def test_a_file_has_no_parameter_but_its_language(site: Published) -> None:
    """Each other one would be one more copy of it in the caches."""
    for path in ("/sitemap.xml", "/pictures/x.png", "/static/style.css", "/site/logo.svg"):
        assert normalize_query("q=1&category=a&lang=ur", {"ur"}, path) == "lang=ur"
    assert normalize_query("q=1&lang=ur", {"ur"}, "/") == "lang=ur&q=1"
