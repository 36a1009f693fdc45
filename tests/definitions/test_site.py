"""`site.yaml` is read with the files that it names, and every problem is reported with its line."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.definitions.reader import read_definitions
from calfeed.errors import DefinitionError
from calfeed.model.contrast import (
    ENOUGH,
    PAPERS,
    SHEETS,
    contrast,
    legible,
    lowest_contrast,
    make_accent,
)
from calfeed.model.site import DEFAULT_SITE, SHIPPED_LANGUAGES, Site

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 40"><path d="M0 0h9v9z"/></svg>'
SQUARE = SVG.replace("80 40", "40 40")
MINIMUM = "name: Dates of Lyon\nlanguages: [fr]\n"
CALENDAR = "name: X\ntime_zone: Europe/Paris\nevents:\n  a: {summary: S, start: 2030-09-27}\n"


def png(width: int, height: int) -> bytes:
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + struct.pack(">II", width, height)
    )


def read(files: dict[str, str | bytes]) -> Site:
    """Read files beside a calendar, by their paths in the folder."""
    texts = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    return read_definitions(
        {f"events/{path}": text for path, text in {"x.yaml": CALENDAR.encode(), **texts}.items()}
    ).site


def problems_of(files: dict[str, str | bytes]) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        read(files)
    return [str(problem) for problem in caught.value.problems]


def test_a_site_has_what_its_file_says_and_the_files_that_it_names() -> None:
    text = """\
name: {fr: Les dates, ar: المواعيد}
title: Ce qui vient
text: |
  Deux
  lignes
languages: [fr, ar]
logo: site/logo.svg
icon: site/deep/icon.png
accent: "#711"
imprint: site/qui.md
privacy: {fr: site/qui.md, ar: site/man.MD}
contact: https://example.org/contact
time_zone: Europe/Paris
first_day: Monday
credit: no
"""
    site = read(
        {
            "site.yaml": text,
            "site/logo.svg": SVG,
            "site/deep/icon.png": png(64, 64),
            "site/qui.md": "**Nous**",
            "site/man.MD": "نحن",
        }
    )
    assert site.name == {"ar": "المواعيد", "fr": "Les dates"}
    assert site.title == {"fr": "Ce qui vient"}
    assert site.text == {"fr": "Deux\nlignes"}
    assert site.languages == ("fr", "ar")
    assert site.language == "fr"
    assert site.logo is not None
    assert (site.logo.suffix, site.logo.width, site.logo.height) == ("svg", 80, 40)
    assert site.logo.content == SVG.encode()
    assert site.icon is not None
    assert (site.icon.suffix, site.icon.width, site.icon.height) == ("png", 64, 64)
    assert site.accent == "#771111"
    assert site.about == {
        "imprint": {"fr": "**Nous**"},
        "privacy": {"ar": "نحن", "fr": "**Nous**"},
    }
    assert site.contact == "https://example.org/contact"
    assert (site.time_zone, site.first_day, site.credit) == ("Europe/Paris", 0, False)
    assert Site.model_validate_json(site.model_dump_json()) == site


def test_without_a_file_the_site_is_the_default_one() -> None:
    assert read({}) == DEFAULT_SITE


def test_the_order_of_texts_and_files_does_not_change_a_site() -> None:
    files: dict[str, str | bytes] = {"site/a.md": "a"}
    one = "name: {fr: F, ar: A}\nlanguages: [fr, ar]\nimprint: site/a.md\n"
    other = "imprint: site/a.md\nlanguages: [fr, ar]\nname: {ar: A, fr: F}\n"
    assert (
        read({"site.yaml": one, **files}).model_dump_json()
        == read({**files, "site.yaml": other}).model_dump_json()
    )


def test_a_catalog_may_stand_without_a_site_file() -> None:
    site = read({"translations/sw.po": 'msgid ""\nmsgstr ""\n'})
    assert site == DEFAULT_SITE.model_copy(update={"catalogs": site.catalogs})
    assert list(site.catalogs) == ["sw"]


def test_the_working_days_of_all_calendars_may_stand_in_the_site_file() -> None:
    counted = (
        "name: X\ntime_zone: Asia/Karachi\nevents:\n  a: {summary: S, start: 2030-09-27}\n"
        "  b: {summary: T, start: 1 working day after a}\n"
    )
    site = MINIMUM + "working_days: {weekend: [friday, saturday]}\n"
    files = {"events/y.yaml": counted.encode(), "events/site.yaml": site.encode()}
    (calendar,) = read_definitions(files).calendars
    assert [str(event.start) for event in calendar.events] == ["2030-09-27", "2030-09-29"]


# Lines put after the minimum (the first is line 3), and the problem they make.
PROBLEMS = {
    "nam: x": '3:1: nam: there is no key "nam" here; did you mean "name"?',
    "languages: [fr]": '3:1: languages: "languages" is already in line 2; keep one',
    "logo: logo.svg": '3:1: logo: "logo.svg" is not in the folder "site" beside site.yaml; move it '
    'there, and write "site/logo.svg"',
    "logo: /etc/passwd": '3:1: logo: "/etc/passwd" is not a path in the folder of the calendars',
    "logo: site/../x.svg": '3:1: logo: "site/../x.svg" is not a path in the folder of',
    "logo: site/logos.svg": "3:1: logo: there is no file events/site/logos.svg; did you mean "
    "site/logo.svg?",
    "logo: site/text.md": "3:1: logo: events/site/text.md is neither an SVG nor a PNG file",
    "logo: site/false.svg": "3:1: logo: events/site/false.svg is not an SVG file, whatever its",
    "logo: site/broken.svg": "3:1: logo: events/site/broken.svg cannot be read as SVG (",
    "logo: site/entity.svg": "3:1: logo: events/site/entity.svg cannot be read as SVG (it has a "
    "document type or entities); export it again as plain SVG",
    "logo: site/coded.svg": "3:1: logo: events/site/coded.svg cannot be read as SVG (",
    "logo: site/active.svg": "3:1: logo: events/site/active.svg contains a script; export it again",
    "logo: site/clicked.svg": "3:1: logo: events/site/clicked.svg contains a script; export it",
    "logo: site/linked.svg": "3:1: logo: events/site/linked.svg contains a script; export it again",
    "logo: site/shapeless.svg": "3:1: logo: events/site/shapeless.svg has no size: give its",
    "logo: site/false.png": "3:1: logo: events/site/false.png is not a PNG file, whatever its name",
    "logo: site/huge.png": "3:1: logo: events/site/huge.png is 5000 by 10 pixels; the maximum is",
    "logo: site/heavy.png": "3:1: logo: events/site/heavy.png has 200,024 bytes; the maximum is",
    "icon: site/logo.svg": "3:1: icon: must be square, but is 80 by 40",
    "accent: '#ffcc00'": '3:1: accent: "#ffcc00" is too pale to be read on a light page: its '
    "contrast is 1.4, and text needs 4.5 (WCAG 2.2); write a darker one, such as",
    "accent: sea gren": '3:1: accent: "sea gren" is not a colour; did you mean seagreen?',
    "accent: '#12345'": '3:1: accent: "#12345" is not a colour; write one such as "#0b6161" or',
    "imprint: {fr: site/no.md}": "3:11: imprint.fr: there is no file events/site/no.md",
    "imprint: site/logo.svg": "3:1: imprint: site/logo.svg is not a Markdown file; name it .md",
    "privacy: site/empty.md": "3:1: privacy: site/empty.md must not be empty",
    "privacy: site/long.md": "3:1: privacy: site/long.md has 100,001 characters; the maximum is "
    "100,000",
    "privacy: site/latin.md": "3:1: privacy: site/latin.md is not UTF-8; save it as UTF-8",
    "contact: nobody": '3:1: contact: "nobody" is neither a mail address nor a URL; write one',
    "contact: 'https://u:p@x.org/'": "3:1: contact: a public URL must not contain a user name",
    "time_zone: Paris": '3:1: time_zone: "Paris" is not an IANA time zone; did you mean Europe/',
    "first_day: lundi": "3:1: first_day: must be a day of the week, such as saturday, not",
    "working_days: {weekend: [noday]}": "3:26: working_days.weekend.0: must be a day of the week",
    "credit: perhaps": '3:1: credit: must be true or false, not "perhaps"',
    "title: ''": "3:1: title: must not be empty",
    "events: {}": "3:1: events: belongs in a calendar, but this file describes the site; give",
}

MATERIAL: dict[str, str | bytes] = {
    "site/logo.svg": SVG,
    "site/text.md": "text",
    "site/empty.md": " \n",
    "site/long.md": "x" * 100_001,
    "site/latin.md": "é".encode("latin-1"),
    "site/false.svg": "<html></html>",
    "site/broken.svg": "<svg",
    "site/entity.svg": '<!DOCTYPE svg [<!ENTITY a "b">]>'
    + SVG.replace("/></svg>", ">&a;</path></svg>"),
    "site/shapeless.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="100%"></svg>',
    "site/coded.svg": '<?xml version="1.0" encoding="xyz"?>' + SVG,
    "site/active.svg": SVG.replace("</svg>", "<script>1</script></svg>"),
    "site/clicked.svg": SVG.replace("<path ", '<path onclick="a()" '),
    "site/linked.svg": SVG.replace("<path ", '<path href=" java script:a()" '),
    "site/false.png": SVG,
    "site/huge.png": png(5000, 10),
    "site/heavy.png": png(10, 10) + b"\0" * 200_000,
}


@pytest.mark.parametrize("line", PROBLEMS)
def test_a_problem_is_told_with_its_line_and_what_would_be_right(line: str) -> None:
    (problem,) = problems_of({"site.yaml": f"{MINIMUM}{line}\n", **MATERIAL})
    assert problem.startswith(f"events/site.yaml:{PROBLEMS[line]}")


def test_a_privacy_notice_may_be_as_long_as_they_are() -> None:
    text = "Wir speichern nichts. " * 4_000
    site = read({"site.yaml": MINIMUM + "privacy: site/notice.md\n", "site/notice.md": text})
    assert site.about["privacy"]["fr"] == text.strip()


def test_all_problems_are_told_at_once() -> None:
    lines = ["accent: yellow", "contact: x", "icon: site/logo.svg", "imprint: site/empty.md"]
    text = "\n".join([MINIMUM, *lines])
    assert len(problems_of({"site.yaml": text, **MATERIAL})) == 4


@pytest.mark.parametrize(
    ("languages", "problem"),
    [
        ("[fr, fr]", '1:17: languages.1: "fr" is in the list twice; keep one'),
        ("[en, sw]", '1:17: languages.1: the pages have no words in "sw"; there are ar, de, en'),
        ("[en, fa]", '1:17: languages.1: the pages have no words in "fa"; did you mean fa-AF?'),
        ("[fa-IR]", '1:13: languages.0: the pages have no words in "fa-IR"; did you mean fa-AF?'),
        ("[en, xx]", '1:17: languages.1: "xx" is not a language that CLDR knows; write a tag such'),
        ("[en_GB]", '1:13: languages.0: "en_GB" is not a language tag (BCP 47); write "en-GB"'),
        ("[]", "1:1: languages: "),
        ("en", "1:1: languages: must be a list, such as [one, another], not a text; write [en]"),
    ],
)
def test_a_language_has_words_and_is_named_once(languages: str, problem: str) -> None:
    (found,) = problems_of({"site.yaml": f"languages: {languages}\nname: X\n"})
    assert found.startswith(f"events/site.yaml:{problem}")


def test_a_language_of_ones_own_is_known_by_its_catalog() -> None:
    catalog = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    site = read({"site.yaml": "name: X\nlanguages: [sw, fr-CA]\n", "translations/sw.po": catalog})
    assert site.languages == ("sw", "fr-CA")


def test_a_catalog_of_a_country_is_no_catalog_of_the_language_or_of_another_country() -> None:
    catalog = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    languages = "[pt-BR, pt, pt-PT]"
    found = problems_of(
        {"site.yaml": f"name: X\nlanguages: {languages}\n", "translations/pt-BR.po": catalog}
    )
    assert [line.partition("; `calfeed")[0].partition("words in ")[2] for line in found] == [
        '"pt"; did you mean pt-BR?',
        '"pt-PT"; did you mean pt-BR?',
    ]


@pytest.mark.parametrize("tag", ["prs", "fa-AF", "en-US"])
def test_a_language_has_the_words_of_the_one_that_it_is_another_name_or_a_part_of(tag: str) -> None:
    assert read({"site.yaml": f"name: X\nlanguages: [{tag}]\n"}).languages == (tag,)


def test_an_invalid_tag_hides_no_problem_of_another_language() -> None:
    languages = "[fr, 12, fr, und, [de], pt-BR]"
    found = problems_of({"site.yaml": f"languages: {languages}\nname: X\n"})
    assert [line.split("languages.")[1].split(": ")[0] for line in found] == list("12345")


def test_there_is_one_site_file_and_one_place_of_working_days() -> None:
    text = MINIMUM + "working_days: {weekend: [friday]}\n"
    found = problems_of({"site.yaml": text, "site.yml": MINIMUM, "working_days.yaml": "open: []\n"})
    assert found == [
        "events/site.yaml:3:1: working_days: events/working_days.yaml has the working days too; "
        "keep one",
        "events/site.yml: events/site.yaml describes the site too; keep one",
    ]


def test_the_keys_that_a_site_needs_are_named() -> None:
    found = problems_of({"site.yaml": "credit: yes\n"})
    assert [line.split(": ", 1)[1].split(" (")[0] for line in found] == [
        'the key "languages" is missing',
        'the key "name" is missing',
    ]


def test_the_name_of_a_catalog_is_a_language() -> None:
    (problem,) = problems_of({"translations/sw_KE.po": ""})
    assert problem.startswith(
        'events/translations/sw_KE.po: its name "sw_KE" is not a language tag'
    )


def test_the_languages_that_are_shipped_are_those_with_catalogs() -> None:
    assert {*SHIPPED_LANGUAGES} >= {"en", "ur", "ps", "fa-AF"}


COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_is_that_of_the_standard() -> None:
    # WCAG 2.2's extremes, and a pair that its documents name.
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


@given(COLORS, st.booleans())
def test_any_colour_becomes_one_that_can_be_read_in_both_schemes(color: str, dark: bool) -> None:
    """It is legible on pages, on cards, on what it marks, and as the ground of its text."""
    found = legible(color, dark=dark)
    accent = make_accent(found, dark=dark)
    for ground in (PAPERS[dark], SHEETS[dark], accent.tint, accent.ink):
        assert contrast(found, ground) >= ENOUGH
    if lowest_contrast(color, dark=dark) >= ENOUGH:
        assert found == color
