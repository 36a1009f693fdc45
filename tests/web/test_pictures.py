"""Every event has a picture in every language, drawn once, whatever its texts are."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from html import unescape
from pathlib import Path
from struct import unpack_from
from xml.etree import ElementTree

import pytest
from flask import Flask
from werkzeug.test import Client

from calfeed.model.site import Image
from calfeed.web.app import make_flask
from calfeed.web.pages import export
from calfeed.web.pages.resolve import find_calendar, find_event
from calfeed.web.pictures import routes
from calfeed.web.pictures.addresses import make_picture
from calfeed.web.pictures.drawing import Layout, draw, draw_icon
from calfeed.web.pictures.fontfiles import FAMILIES, FOLDER
from calfeed.web.pictures.rendering import Drawing, DrawingError, render, render_here
from calfeed.web.pictures.typesetting import set_text
from tests.patience import PATIENCE
from tests.web.published import BASE, NOW, Published, make_site

SVG = {"s": "http://www.w3.org/2000/svg"}
DESK = """
name: {en: The desk, ur: ڈیسک, ps: ډیسک, ar: المكتب}
time_zone: Asia/Karachi
color: crimson
events:
  stay: {summary: {en: Stay ends, ur: قیام کی مدت}, start: %s, kind: deadline}
  hearing: {summary: Hearing, start: 2026-12-04 10:00, status: cancelled}
  ruling: {summary: {en: "<b>Ruling</b> & \\"more\\"", ps: پرېکړه}, start: 2027-06}
"""
SECRET = """
name: Secret
time_zone: UTC
visibility: private
events: {one: {summary: One, start: 2026-12-05}}
"""
LONG = "Visa applications for families from Afghanistan close at the consulate in New York " * 4


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish({"desk": DESK % "2026-12-11", "secret": SECRET})
    yield site
    site.database.close()


def picture_of(site: Published, path: str) -> str:
    """The address of the picture that a page names."""
    (url,) = re.findall(r'<meta property="og:image" content="([^"]*)">', site.get(path).text)
    return unescape(url).removeprefix(BASE)


def size_of(png: bytes) -> tuple[int, ...]:
    assert png.startswith(b"\x89PNG")
    return unpack_from(">II", png, 16)


def texts_of(site: Published, event: str, language: str = "en") -> list[str]:
    """The texts in the picture of an event, without the marks of their direction."""
    app = make_flask(site.state, BASE)
    with app.test_request_context(query_string={"lang": language}):
        app.preprocess_request()
        found = find_calendar(site.state.snapshot, "desk")
        svg = draw(make_picture(site.state, found, find_event(found, event)).content).svg
    texts = ElementTree.fromstring(svg).iterfind(".//s:text", SVG)
    return [re.sub("[\u202a-\u202c]", "", "".join(text.itertext())) for text in texts]


@pytest.mark.parametrize("path", ["/", "/calendars/desk/", "/calendars/desk/stay/"])
@pytest.mark.parametrize("language", ["en", "ur", "ps", "fa-AF"])
def test_a_page_names_its_picture_which_is_kept_for_ever(
    site: Published, path: str, language: str
) -> None:
    address = picture_of(site, f"{path}?lang={language}")
    response = site.get(address)
    assert (response.status_code, response.content_type) == (200, "image/png")
    assert size_of(response.data) == (1200, 630)
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    again = site.get(address, If_None_Match=response.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    page = site.get(f"{path}?lang={language}").text
    assert '<meta property="og:image:width" content="1200">' in page
    assert '<meta name="twitter:card" content="summary_large_image">' in page


def test_a_picture_has_another_address_when_what_it_shows_changes_and_only_then(
    site: Published,
) -> None:
    stay, ruling = "/calendars/desk/stay/", "/calendars/desk/ruling/"
    before, other = picture_of(site, stay), picture_of(site, ruling)
    site.now = NOW.replace(day=24)
    site.publish({"desk": DESK % "2026-12-18"})
    after = picture_of(site, stay)
    assert after != before
    assert picture_of(site, ruling) == other
    moved = site.get(before)
    assert (moved.status_code, moved.headers["Location"]) == (302, after)
    assert moved.headers["Cache-Control"] == "no-cache"


def test_a_picture_says_what_the_page_says(site: Published) -> None:
    assert texts_of(site, "hearing") == [
        *("cancelled", "calfeed", "The desk", "Friday, 4 December 2026, 10:00", "Hearing")
    ]
    assert texts_of(site, "ruling") == [
        *("day open", "calfeed", "The desk", "June 2027, day not yet known"),
        '<b>Ruling</b> & "more"',
    ]
    site.publish({"desk": DESK % "2026-12-18"})
    assert texts_of(site, "stay") == [
        *("moved", "deadline", "calfeed", "The desk", "Was", "Friday, 11 December 2026"),
        *("by the end of Friday, 18 December 2026 in Karachi", "Stay ends"),
    ]
    assert texts_of(site, "stay", "ur")[-1] == "قیام کی مدت"
    desk = DESK % "2026-12-18" + "  call: {summary: Call, start: 2026-12-04 10:00%s}\n"
    site.publish({"desk": desk % ""})
    site.publish({"desk": desk % ", time_zone: Europe/Paris"})
    assert texts_of(site, "call") == [
        *("moved", "calfeed", "The desk", "Was", "Friday, 4 December 2026, 06:00"),
        *("Friday, 4 December 2026, 10:00", "Call"),
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/pictures/nothing/0123456789abcdef.png",
        "/pictures/desk/nothing/0123456789abcdef.png",
        "/pictures/secret/0123456789abcdef.png",
        "/pictures/secret/one/0123456789abcdef.png",
        "/pictures/desk/stay/../x.png",
    ],
)
def test_what_is_not_public_has_no_picture(site: Published, path: str) -> None:
    assert site.get(path).status_code == 404


def test_a_language_that_pages_do_not_have_leads_to_one_that_they_have(site: Published) -> None:
    address = picture_of(site, "/calendars/desk/stay/")
    response = site.get(address.replace("lang=en", "lang=tlh"), Accept_Language="en")
    assert response.status_code == 200
    assert site.get("/pictures/desk/stay/0.png?lang=xx").headers["Location"] == address


def test_a_picture_is_drawn_once(site: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Drawing] = []

    def note(drawing: Drawing) -> bytes:
        drawn.append(drawing)
        return render(drawing)

    monkeypatch.setattr(routes, "render", note)
    address = picture_of(site, "/calendars/desk/stay/")
    first = site.get(address)
    assert site.get(address).data == first.data
    assert len(drawn) == 1


def test_only_a_few_pictures_are_drawn_at_once_and_pages_go_on(
    site: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def wait_until_told(drawing: Drawing) -> bytes:
        assert go_on.wait(PATIENCE)
        return b"png"

    monkeypatch.setattr(routes, "render", wait_until_told)
    paths = [f"/calendars/desk/{name}/" for name in ("stay", "hearing", "ruling")]
    addresses = [picture_of(site, f"{path}?lang={tag}") for path in paths for tag in ("en", "ur")]
    app = make_flask(site.state, BASE)

    def ask(address: str) -> int:
        return Client(app).get(address).status_code

    with ThreadPoolExecutor(len(addresses)) as pool:
        try:
            asked = [pool.submit(ask, address) for address in addresses]
            answered = as_completed(asked, timeout=PATIENCE)
            assert [next(answered).result() for _ in range(3)] == [503] * 3
            assert ask("/calendars/desk/") == 200
        finally:
            go_on.set()
        assert sorted(one.result() for one in asked) == [200] * 3 + [503] * 3


def test_what_cannot_be_drawn_is_an_error_and_not_a_picture() -> None:
    for svg in ("", "<svg", '<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"/>'):
        with pytest.raises(DrawingError):
            render(Drawing(svg))


def test_a_picture_is_the_same_from_a_process_of_its_own() -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    icon = Image(suffix="svg", content=svg, width=9, height=9)
    drawing = draw_icon(icon, 180, ground=True)
    assert render(drawing) == render_here(drawing)


def test_a_logo_reads_no_file_of_the_machine(tmp_path: Path) -> None:
    """An SVG can name other files; in a picture, they would be published."""
    (tmp_path / "red.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
        '<rect width="9" height="9" fill="red"/></svg>'
    )
    empty = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}</svg>'
    naming = empty.format(f'<image width="9" height="9" href="{tmp_path}/red.svg"/>')

    def draw_logo(svg: str) -> bytes:
        icon = Image(suffix="svg", content=svg.encode(), width=9, height=9)
        return render(draw_icon(icon, 90, ground=True))

    assert draw_logo(naming) == draw_logo(empty.format(""))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (LONG, "en"),
        ("x" * 500, "en"),
        ("ویزا درخواستوں کی آخری تاریخ (UNHCR 2026) " * 9, "ur"),
        ("الموعد النهائي لتقديم الطلبات " * 9, "ar"),
        ("د څارنې مهال ويش ښايي " * 12, "ps"),
        ("日本語の題名" * 30, "ja"),
        ("W", "en"),
    ],
)
@pytest.mark.parametrize("title", [True, False])
def test_no_line_is_wider_than_its_room_and_what_does_not_fit_ends_with_an_ellipsis(
    text: str, language: str, title: bool
) -> None:
    block = set_text(text, language, (60, 40), 1000, lines=2, title=title)
    assert 1 <= len(block.lines) <= 2
    assert all(line.width <= 1000 for line in block.lines)
    shown = "".join(span.text for line in block.lines for span in line.spans)
    assert ("…" in shown) is block.cut is (len(text) > 1)


def test_arabic_letters_are_measured_as_they_are_joined() -> None:
    joined = set_text("بببب", "ar", (100,), 1000).width
    apart = set_text("ب\u200cب\u200cب\u200cب", "ar", (100,), 1000).width
    assert joined < 0.8 * apart


def test_each_script_has_a_font_and_what_none_has_is_left_to_the_system() -> None:
    urdu = set_text("تاریخ UNHCR", "ur", (60,), 1000, title=True).lines[0]
    assert [span.family for span in urdu.spans] == ["Noto Nastaliq Urdu", "Noto Serif"]
    assert urdu.covered
    for text in ("Žluťoučký кůň Ελληνικά “” – €", "ښځې ړومبی ګډون ټ ڼ ې ۍ ئ", "كتاب ١٢٣"):
        assert set_text(text, "en", (60,), 9000).lines[0].covered
    assert not set_text("アマ", "ja", (60,), 1000).lines[0].covered


def test_a_page_from_right_to_left_begins_at_the_right(site: Published) -> None:
    app = make_flask(site.state, BASE)

    def lay_out(app: Flask, language: str) -> Layout:
        with app.test_request_context(query_string={"lang": language}):
            app.preprocess_request()
            found = find_calendar(site.state.snapshot, "desk")
            return Layout(make_picture(site.state, found, find_event(found, "ruling")).content)

    assert {text.x for text in lay_out(app, "en").texts[-2:]} == {72}
    assert {text.x for text in lay_out(app, "ps").texts[-2:]} == {1200 - 72}
    # What runs from right to left says so, as a drawing is laid out from left to right.
    title = lay_out(app, "ps").texts[-1].line.spans[0].text
    assert title.startswith("\u202b")
    assert lay_out(app, "en").texts[-1].line.spans[0].text.startswith("\u202a")


def test_the_fonts_are_small_and_have_their_licence() -> None:
    files = {file.name for file in FOLDER.iterdir()}
    assert files == {f"{name}.ttf" for name in FAMILIES} | {"OFL.txt", "README.md"}
    assert sum(file.stat().st_size for file in FOLDER.glob("*.ttf")) < 1_500_000
    assert "SIL OPEN FONT LICENSE" in (FOLDER / "OFL.txt").read_text("utf-8")


@pytest.mark.parametrize("missing", ["resvg_py", "uharfbuzz"])
def test_without_the_extra_pages_have_no_pictures_and_are_whole(
    site: Published, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    for name in [name for name in sys.modules if name.startswith("calfeed.web.pictures.")]:
        monkeypatch.delitem(sys.modules, name)
    client = Client(make_flask(site.state, BASE))
    for path in ("/", "/calendars/desk/", "/calendars/desk/stay/"):
        page = client.get(path).text
        assert "og:image" not in page
        assert "/pictures/" not in page
        assert '<meta name="twitter:card" content="summary">' in page
        assert '<meta property="og:title"' in page
    assert client.get("/pictures/desk/stay/0.png").status_code == 404
    for path in ("/favicon.ico", "/apple-touch-icon.png", "/manifest.webmanifest"):
        assert client.get(path).status_code == 200


def test_an_exported_site_has_pictures_only_if_they_are_asked_for(site: Published) -> None:
    files = dict(export.make_site(site.database, BASE, NOW))
    assert not [name for name in files if name.startswith("pictures/")]
    assert b"og:image" not in files["index.html"]
    base = f"{BASE}/dates"
    drawn = dict(export.make_site(site.database, base, NOW, pictures=True))
    pages = {name: body.decode() for name, body in drawn.items() if name.endswith(".html")}
    named = {
        url.removeprefix(f"{base}/")
        for page in pages.values()
        for url in re.findall(r'<meta property="og:image" content="([^"]*)">', page)
    }
    pictures = {name for name in drawn if name.startswith("pictures/")}
    assert named == pictures
    assert len(pictures) == 4 * (1 + 1 + 3), "in four languages: the site, a calendar, 3 events"
    assert {size_of(drawn[name]) for name in pictures} == {(1200, 630)}
