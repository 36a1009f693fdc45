"""A site's own catalogs: what of them is used, what is refused, and what pages make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from babel.support import NullTranslations
from hypothesis import example, given
from hypothesis import strategies as st

from calfeed.errors import CalfeedError, InvalidValueError
from calfeed.web.own_catalogs.editing import make_catalog, update_catalog
from calfeed.web.own_catalogs.files import MAX_BYTES, list_messages, load_template
from calfeed.web.own_catalogs.loading import check_catalog, load_own_catalog
from calfeed.web.pages.reader.offers import make_site_languages
from tests.web.published import make_site

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HEADER = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""
DESK = """
name: Desk
time_zone: Asia/Karachi
events:
  audit: {summary: Audit, start: 2026-12-01}
"""


def po(*entries: tuple[str, str], header: str = HEADER) -> bytes:
    written = (f'msgid "{original}"\nmsgstr "{text}"\n' for original, text in entries)
    return (header + "\n".join(written)).encode()


def own(content: bytes, tag: str = "sw") -> NullTranslations:
    return load_own_catalog(content, tag).open()


def wrong(content: bytes, tag: str = "fr") -> list[tuple[int, str]]:
    """The problems of a file; those of a language that calfeed has are only what is wrong."""
    return [(line, message) for line, _, message in check_catalog(content, tag)]


def test_a_text_of_ones_own_comes_before_calfeeds_its_base_language_and_english() -> None:
    offered = make_site_languages(
        ["fr-CA", "sw"],
        {
            "fr-CA": po(("Subscribe", "S’inscrire"), header=HEADER.replace("n != 1", "n > 1")),
            "fr": po(("Language", "Parler"), header=HEADER.replace("n != 1", "n > 1")),
            "sw": po(("Subscribe", "Jiandikishe")),
            "en": po(("Year", "Twelve months")),
        },
    )
    canadian, swahili = (language.catalog.ugettext for language in offered)
    assert [canadian(text) for text in ("Subscribe", "Language", "Month")] == [
        "S’inscrire",
        "Parler",
        "Mois",
    ]
    assert [swahili(text) for text in ("Subscribe", "Month", "Year")] == [
        "Jiandikishe",
        "Month",
        "Twelve months",
    ]


def test_catalogs_of_one_site_do_not_change_those_of_another() -> None:
    one = make_site_languages(["ur"], {"ur": po(("Month", "ماہ"))})
    other = make_site_languages(["ur"])
    assert one.default.catalog.ugettext("Month") == "ماہ"
    assert one.default.catalog.ugettext("Year") == other.default.catalog.ugettext("Year")
    assert other.default.catalog.ugettext("Month") == "مہینہ"


def test_plurals_are_chosen_by_cldrs_rule_however_a_file_writes_it() -> None:
    plural = """msgid "in %(count)s day"
msgid_plural "in %(count)s days"
msgstr[0] "in %(count)s viel"
msgstr[1] "in %(count)s eins"
"""
    header = HEADER.replace("(n != 1)", "(n == 1)")
    catalog = own((header + plural).encode(), "de")
    found = [catalog.ungettext("in %(count)s day", "", number) for number in (0, 1, 2)]
    assert found == ["in %(count)s viel", "in %(count)s eins", "in %(count)s viel"]


@pytest.mark.parametrize(
    ("tag", "rule", "fits"),
    [
        ("de", "nplurals=2; plural=(n != 1);", True),
        ("de", "nplurals=2; plural=n==1 ? 0 : 1;", True),
        ("de", "nplurals=1; plural=0;", True),
        ("de", "nplurals=2; plural=(n > 1);", False),
        ("de", "nplurals=2; plural=n;", False),
        ("de", "nplurals=2; plural=n/0;", False),
        ("de", "nplurals=2; plural=__import__('os');", False),
        ("de", "nplurals=999999999; plural=(n != 1);", True),
        ("fr", "nplurals=2; plural=(n > 1);", True),
        ("ar", "nplurals=2; plural=(n != 1);", False),
        ("sw", "nplurals=2; plural=(n != 1);", True),
    ],
)
def test_a_plural_rule_is_that_of_the_language(tag: str, rule: str, fits: bool) -> None:
    header = HEADER.replace("nplurals=2; plural=(n != 1);", rule)
    problems = check_catalog(po(header=header), tag)
    assert ("Plural-Forms" not in {problem.text for problem in problems}) == fits


@pytest.mark.parametrize(
    ("original", "text", "says"),
    [
        ("Subscribe", "<b>Abonner</b>", "contains HTML (</b>)"),
        ("Subscribe", "<script>alert(1)</script>", "contains HTML"),
        ("Subscribe", "<img src=x onerror=alert(1)", "contains HTML"),
        ("Subscribe", "S&#x27;abonner", "contains HTML (&#x27;)"),
        ("Subscribe", "%(name)s", "has %(name)s, which the English text does not have"),
        ("Before %(day)s", "Avant", "lacks %(day)s, which the English text has"),
        ("Before %(day)s", "Avant %(dya)s", "lacks %(day)s"),
        ("Subscribe", "100 %", 'has a "%" that begins no %(name)s'),
        ("Before %(day)s", "Avant %(day)d %(day)s", 'has a "%"'),
        ("Subscribe", "S’abonner\\nBcc: all@example.org", "has a line break"),
        ("Subscribe", "x" * 2_001, "has 2,001 characters"),
        ("Never heard of", "Inconnu", "is not a text of this version"),
    ],
)
def test_a_text_that_would_break_a_page_or_a_mail_is_named_and_not_used(
    original: str, text: str, says: str
) -> None:
    content = po((original, text), ("Month", "Lune"), header=HEADER.replace("n != 1", "n > 1"))
    found = wrong(content)
    assert {line for line, _ in found} == {6}
    assert any(says in message for _, message in found)
    assert own(content, "fr").ugettext(original) == original
    assert own(content, "fr").ugettext("Month") == "Lune"


def test_a_fuzzy_text_is_not_used_and_neither_is_a_plural_with_empty_forms() -> None:
    content = po(("Month", "Mwezi")).replace(b'msgid "Month"', b'#, fuzzy\nmsgid "Month"')
    content += b'msgid "%(count)s day"\nmsgid_plural "%(count)s days"\nmsgstr[0] "siku"\n'
    messages = [message for _, message in wrong(content, "sw")]
    assert any("marked as fuzzy" in message for message in messages)
    assert "has 2 plural forms, of which some are empty" in messages
    assert own(content).ugettext("Month") == "Month"
    assert own(content).ungettext("%(count)s day", "%(count)s days", 1) == "%(count)s day"


def test_a_form_of_one_number_may_leave_it_out_and_that_of_many_may_not() -> None:
    def plural(one: str, other: str) -> bytes:
        text = f'msgid "%(count)s day"\nmsgid_plural "%(count)s days"\nmsgstr[0] "{one}"\n'
        return (HEADER + text + f'msgstr[1] "{other}"\n').encode()

    assert wrong(plural("ein Tag", "%(count)s Tage"), "de") == []
    assert "lacks %(count)s" in wrong(plural("ein Tag", "Tage"), "de")[0][1]


def test_what_is_missing_is_named_only_where_calfeed_has_no_text_either() -> None:
    assert wrong(po(("Month", "")), "de") == []
    for tag in ("de-AT", "en", "en-US"):
        assert wrong(po(("Month", "")), tag) == [], tag
    (absent, empty) = wrong(po(("Month", "")), "sw")
    assert empty == (6, "is not translated")
    assert absent[1].endswith("texts are not in it; run calfeed translations update")


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b"\xff", 1, "is not in UTF-8"),
        (b'msgid "a"\nmsgstr "b\n', 2, "is not a line of a .po file"),
        (b"Subscribe = Abonner\n", 1, "is not a line of a .po file"),
        (b'msgid "a"\n\nmsgid "b"\nmsgstr "c"\n', 1, "is not complete"),
        (b'msgid ""\nmsgstr "POT-Creation-Date: never\\n"\n', 0, "cannot be read"),
        (b"#" * (MAX_BYTES + 1), 0, "has more than 1,000,000 bytes"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_line(content: bytes, line: int, says: str) -> None:
    (found, *_) = wrong(content)
    assert says in found[1]
    assert line in (0, found[0])
    assert own(content).ugettext("Month") == "Month"


def test_a_name_that_is_no_language_is_refused() -> None:
    assert "is not a language" in wrong(po(), "xx")[0][1]
    with pytest.raises(InvalidValueError):
        make_site_languages(["en", "xx"])


PIECES = (
    *("msgid ", "msgid_plural ", "msgstr ", "msgstr[0] ", "msgstr[9] ", '"', "\\", "\n", "#~ "),
    *("#, fuzzy\n", "#: a:1\n", "Plural-Forms: nplurals=7; plural=n%0;", "%(count)s", "Month"),
)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5)).map("".join))
@example('msgstr "a"')
@example('msgctxt "a"\nmsgid "Month"\nmsgstr "b"')
@example('#~ msgid "a"\n#~ msgstr "b"\nmsgid "Month"')
@example('msgid "Month"\nmsgid_plural "b"\nmsgid_plural "c"\nmsgstr[0] "d"')
def test_no_file_makes_the_loader_fail(text: str) -> None:
    for content in (text.encode(), (HEADER + text).encode()):
        check_catalog(content, "ar")
        own(content, "ar").ungettext("%(count)s day", "%(count)s days", 3)


def test_a_language_is_reviewed_if_nothing_of_it_is_what_only_a_machine_wrote() -> None:
    whole = make_catalog("ur", NOW).decode()
    assert not make_site_languages(["ur"], {"ur": whole.encode()}).default.reviewed
    assert make_site_languages(["ur"], {"ur": fill(whole)}).default.reviewed
    assert make_site_languages(["sw"]).default.reviewed
    assert not make_site_languages(["de-AT"]).default.reviewed


def fill(text: str) -> bytes:
    """Translate each text of a file with itself."""
    lines, original = [], ""
    for line in text.split("\n"):
        if line.startswith("msgid"):
            original = line.split(" ", 1)[1]
        if line.startswith("msgstr") and original != '""':
            line = line.replace('""', original)
        lines.append(line)
    return "\n".join(lines).encode()


def test_a_new_file_has_all_texts_and_the_rule_of_the_language_and_is_valid_when_filled() -> None:
    made = make_catalog("ar", NOW)
    read = read_po(made.decode().splitlines())
    assert read.num_plurals == 6
    assert {message.id for message in list_messages(read)} == {
        message.id for message in list_messages(load_template())
    }
    assert b"#: calfeed/web/templates/event.html" in made
    assert "#. calfeed has: الاشتراك" in made.decode()
    assert wrong(fill(made.decode()), "ar") == []


def test_an_update_adds_new_texts_keeps_translations_and_marks_what_is_gone() -> None:
    old = po(("Month", "Mwezi"), ("Never heard of", "Haijulikani"))
    updated = update_catalog(b"# Mine.\n" + old, "sw", NOW)
    text = updated.decode()
    assert text.startswith("# Mine.\n")
    assert 'msgid "Month"\nmsgstr "Mwezi"' in text
    assert 'msgid "Year"\nmsgstr ""' in text
    assert '#~ msgid "Never heard of"\n#~ msgstr "Haijulikani"' in text
    assert update_catalog(updated, "sw", datetime(2027, 1, 1, tzinfo=UTC)) == updated
    with pytest.raises(CalfeedError, match="line 1 is not a line"):
        update_catalog(b"what", "sw", NOW)


def test_a_page_shows_the_letters_of_a_text_and_never_its_markup(tmp_path: Path) -> None:
    """Even where a catalog was not checked."""

    class Hostile(NullTranslations):
        def ugettext(self, message: str) -> str:
            return f'"><script>{message}</script>'

        def ungettext(self, one: str, many: str, number: int) -> str:
            return f'"><script>{one}</script>'

    site = make_site(tmp_path)
    site.publish({"desk": DESK})
    languages = make_site_languages(["sw", "en"])
    hostile = replace(languages.default, own=Hostile())
    offered = replace(languages, languages=(hostile, *languages.languages[1:]))
    site.state.snapshot = replace(site.state.snapshot, offered=offered)
    for path in ("/", "/calendars/desk/", "/calendars/desk/audit/", "/subscribe/desk/", "/none"):
        page = site.get(path, Accept="text/html").text
        assert "&lt;script&gt;" in page
        assert "<script>" not in page
        assert '""><' not in page
    site.database.close()


def test_pages_are_in_a_language_that_only_the_site_has(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    site.publish({"desk": DESK})
    catalog = po(("Key dates", "Tarehe muhimu"))
    offered = make_site_languages(["sw", "en"], {"sw": catalog}, {"sw": "Kiswahili chetu"})
    site.state.snapshot = replace(site.state.snapshot, offered=offered)
    page = site.get("/").text
    assert '<html lang="sw" dir="ltr">' in page
    assert "<h1>Tarehe muhimu</h1>" in page
    assert ">Kiswahili chetu</a>" in page
    assert "Jumanne, 1 Desemba 2026" in site.get("/calendars/desk/audit/").text
    site.database.close()
