"""A site in one language below a path: everything in it is in that language, and leads into it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

import pytest
from babel.messages.pofile import read_po

from calfeed.model.texts import text_direction
from calfeed.web import catalogs
from tests.acceptance.crawler import Answer, Visitor
from tests.acceptance.one_language import CALENDAR, GONE, OTHER, WORDS, write_site
from tests.acceptance.proxies import PATH, proxied
from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Site, until
from tests.delivery.push_client import PushClient
from tests.delivery.receiver import Receiver as PushService
from tests.delivery.receiver import needs_openssl
from tests.mail.post_office import PostOffice
from tests.ports import free_port
from tests.wording.reading import (
    find_languages,
    read_atom,
    read_csv,
    read_ical,
    read_json,
    read_mail,
    read_page,
    read_plain,
)
from tests.wording.test_languages import own_words

pytestmark = needs_openssl

TRANSLATIONS = Path(catalogs.__file__).parent / "translations"
PERSON = "amina@example.org"
STATES = (
    *("m1", "c1", "p1", "w1", "o1", "o2", "o3", "b1", "b2", "b3", "d1", "r1", "k1"),
    *("old", "zone", "s1"),
)
CHOICE = f"calendar={OTHER}&event={CALENDAR}/m1"
REFUSED = {
    f"calendars/{CALENDAR}/?zone=Mars": 400,
    "choice/?calendar=9": 400,
    "choice/?calendar=2030&alarms=x": 400,
    "choice.ics": 400,
    "choice.ics?calendar=2030&cancelled=x": 400,
    f"calendars/{CALENDAR}.ics?category=9": 400,
    f"calendars/{CALENDAR}.ics?alarms=9": 400,
    f"calendars/{CALENDAR}.ics?past=x": 400,
    f"calendars/{CALENDAR}.ics?lang=9": 400,
    f"calendars/{CALENDAR}.ics?alarms=1h,2h,3h,4h,5h,6h": 400,
    f"calendars/{CALENDAR}.ics?alarms=500d": 400,
    f"calendars/{CALENDAR}.ics?open=x": 400,
    f"calendars/{CALENDAR}.ics?{'&'.join(['x=1'] * 60)}": 400,
    f"choice/?event={','.join(f'{number}/{number}' for number in range(120))}": 400,
    f"embed/{CALENDAR}/?theme=9": 400,
    f"embed/{CALENDAR}/?border=9": 400,
    f"embed/{CALENDAR}/?accent=9": 400,
    f"calendars/{CALENDAR}/occurrences.json?start=9": 400,
    "9/": 404,
    "calendars/9/": 404,
    "calendars/9.ics": 404,
    "follow/9/": 404,
    "subscribe/9/": 404,
    f"calendars/{CALENDAR}/9/": 404,
    f"calendars/{CALENDAR}/9.ics": 404,
    f"calendars/{CALENDAR}/?category=9": 404,
    f"calendars/{CALENDAR}/?view=month&month=9": 404,
    f"calendars/{CALENDAR}/?view=year&year=9": 404,
    f"calendars/{CALENDAR}/?from=9": 404,
    "follow/confirm/9/9": 404,
    "follow/9/9/": 404,
    f"calendars/{GONE}/": 410,
    f"calendars/{GONE}.ics": 410,
}


@dataclass
class Proof:
    """What a site has said: texts for people, by where they were, and what answered."""

    language: str
    site: Site
    base: str
    visitor: Visitor
    texts: dict[str, list[str]] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)

    def take(self, where: str, texts: Iterator[str] | list[str]) -> None:
        found = [text for text in texts if text.strip()]
        assert found, f"nothing is to be read in {where}"
        self.texts[where] = found

    def look(self, address: str, status: int = 200, **more: Any) -> Answer:
        answer = self.visitor.ask(address, **more)
        assert answer.status == status, (answer.status, address, answer.text[:500])
        self.hear(f"{more.get('method', 'GET')} {address}", answer)
        return answer

    def send(self, address: str, fields: dict[str, str], status: int = 200) -> Answer:
        answer = self.visitor.send(address, fields)
        assert answer.status == status, answer.text[:500]
        self.hear(f"POST {address}", answer)
        return answer

    def hear(self, where: str, answer: Answer) -> None:
        read = _reader_of(answer.headers.get_content_type(), urlsplit(answer.url).path)
        if read is not None:
            self.take(where, read(answer.text))
        if answer.is_page:
            self.pages[where] = answer.text


def _reader_of(kind: str, path: str) -> Callable[[str], Any] | None:
    """How to read an answer; None for what nobody reads, such as styles and pictures."""
    if path.endswith((".svg", ".jcal", "robots.txt")) or "/static/" in path:
        return None
    if kind.endswith("json"):
        return lambda text: read_json(json.loads(text))
    return {
        "text/html": read_page,
        "text/calendar": read_ical,
        "text/csv": read_csv,
        "application/atom+xml": read_atom,
        "text/plain": lambda text: [text],
    }.get(kind)


@pytest.fixture(scope="module", params=sorted(WORDS))
def proof(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proof]:
    """All that a site says, from the first sign-up to a reminder."""
    language = request.param
    folder = tmp_path_factory.mktemp(language)
    site, port = Site(folder / "site"), free_port()
    base = f"https://127.0.0.1:{port}{PATH}"
    write_site(site, language)
    with (
        PostOffice() as post,
        proxied("nginx", folder / "proxy", port, [site.port], below=True) as trusted,
    ):
        site.environment |= {
            "CALFEED_PUBLIC_URL": base,
            "CALFEED_GRACE": "0",
            "CALFEED_MAIL_URL": post.url,
            "CALFEED_MAIL_FROM": "calendar@example.org",
            "CALFEED_PUSH_CONTACT": "mailto:desk@example.org",
            "CALFEED_TRUSTED_PROXIES": "1",
        }
        site.do("publish")
        with site.serving(), Receiver() as receiver, PushService() as service:
            proof = Proof(language, site, base, Visitor(base, trusted))
            _follow_and_change(proof, post, receiver, service)
            _read_all(proof)
            yield proof


def _follow_and_change(
    proof: Proof, post: PostOffice, receiver: Receiver, service: PushService
) -> None:
    """Sign up by mail, browser and webhook; change each date; read what is sent of it."""
    site, client = proof.site, PushClient()
    site.do("endpoint", "add", receiver.url)
    site.do("endpoint", "test", site.ask("endpoint", "list")[0]["id"])
    keys = client.receiver(service.url("/status/201"))
    wish: dict[str, object] = {"key": keys.client_key, "auth": keys.auth}
    wish |= {"resource": keys.resource, "language": proof.language, "follow": [CALENDAR]}
    kind = {"Content-Type": "application/json"}
    assert proof.visitor.ask("push/", "POST", json.dumps(wish).encode(), kind).status == 200
    until(lambda: service.posts, "the greeting of a browser")

    for path in (f"follow/{CALENDAR}/", f"follow/{CALENDAR}/m1/"):
        form = proof.look(path)
    proof.send(f"follow/{CALENDAR}/", {"address": "nobody", "reminders": "each"}, 422)
    choices = {"moves": "on", "entries": "on", "reminders": "each"}
    fields = {**proof.visitor.fields_of(form), "address": PERSON, **choices}
    proof.send(f"follow/{CALENDAR}/", fields)
    (first,) = until(lambda: post.to(PERSON), "the first mail")
    (confirm,) = set(re.findall(r"https://\S+/follow/confirm/\S+", next(read_plain(first.mail))))
    page = proof.look(confirm)
    own = proof.send(confirm, proof.visitor.fields_of(page))
    until(lambda: post.to(PERSON)[1:], "the second mail")

    write_site(
        site, proof.language, datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=66)
    )
    site.do("publish", "--allow-removals")
    until(lambda: receiver.of_type("reminder.due"), "a reminder")
    kinds = {"event.moved", "event.cancelled", "event.corrected", "event.changed", "event.added"}
    until(lambda: all(map(receiver.of_type, kinds)), "a message of each type")
    until(lambda: len(post.to(PERSON)) > 8, "the mails")
    until(lambda: len(service.posts) > 5, "the pushes")
    for number, sent in enumerate(list(receiver.posts)):
        proof.take(f"{sent.message['type']} {number}", read_json(sent.message["data"]))
    for number, pushed in enumerate(list(service.posts)):
        proof.take(f"push {number}", read_json(json.loads(client.read(pushed.body))))
    for number, mailed in enumerate(post.to(PERSON)):
        proof.take(f"mail {number}", read_mail(mailed.mail))

    (mine,) = set(re.findall(r'href="(/dates/follow/[^"]+)"', own.text))
    shown = proof.look(mine)
    proof.send(mine, {"reminders": "none"}, 422)
    proof.send(mine, {"act": "pause"})
    proof.look(confirm)
    proof.look(urljoin(shown.url, "leave"))
    proof.send(urljoin(shown.url, "leave"), {})
    proof.look(mine)


def _read_all(proof: Proof) -> None:
    for start in ("", f"calendars/{CALENDAR}/?view=month&month=2040-04", f"subscribe/?{CHOICE}"):
        proof.visitor.follow_all(start)
    for path, answer in proof.visitor.seen.items():
        proof.hear(path, answer)
    words = WORDS[proof.language]
    for address in (
        *(f"calendars/{CALENDAR}/{state}/" for state in STATES),
        f"?q={quote(words.ruling)}",
        "?q=9999",
        "?until=2026-01-01",
        f"calendars/{CALENDAR}/?view=year",
        f"calendars/{CALENDAR}/?view=year&year=2040",
        f"calendars/{CALENDAR}/?view=month",
        f"calendars/{CALENDAR}/?view=month&month=2040-06",
        f"calendars/{CALENDAR}/?until=2026-11-01",
        f"calendars/{CALENDAR}/?category={quote(words.category)}",
        f"calendars/{CALENDAR}/m1/?zone=Asia/Karachi",
        f"subscribe/{CALENDAR}/?category={quote(words.category)}",
        f"subscribe/?{CHOICE}&alarms=1d&cancelled=mark&open=none",
        f"choice/?{CHOICE}&alarms=1d,2h&cancelled=drop",
        f"choice.ics?{CHOICE}",
        f"calendars/{CALENDAR}.ics?alarms=1d&cancelled=mark",
        f"calendars/{CALENDAR}/m1.ics",
        f"embed/{CALENDAR}/",
        f"embed/choice/?{CHOICE}",
    ):
        proof.look(address)
    accepting = {"Accept": "text/html"}
    for address, status in REFUSED.items():
        proof.look(address, status, headers=accepting)
    proof.look("", 405, method="DELETE", headers=accepting)
    proof.look("calendars.ics", 405, method="POST", body=b"", headers=accepting)


_SAME = re.compile(
    # Addresses, digests, placeholders of scripts, and values of parameters such as 2h.
    r"(?:https?|webcals?|caldavs?)://\S+|\S+@\S+|\b[0-9a-f]{12}…|\b7a1f5c\b|{\w+}|\b\d+[mhdw]\b|\b\w+=\S*|"
    # Products, what they are called in, formats and zones; Arabic writes "and" before them.
    r"Google Calendar|Outlook\.com|Microsoft 365|Evolution, GNOME|holidays [\d.]+|fa-AF|"
    r"(?<![A-Za-z])(?:Google|Apple|Microsoft|Mozilla|Gmail|Outlook|Thunderbird|Android|iPhone|iPad|"
    r"Mac|CalDAV|ICSx⁵|DAVx⁵|JSON|jCal|CSV|Atom|QR|ics|UTC|CET|CEST|PKT|Asia/Karachi|"
    # What is written in addresses, and the name of the public account.
    r"theme|light|dark|auto|accent|border|none|public)(?![A-Za-z])"
)
"""What is the same in all languages."""

_VALUES = frozenset(
    ["all", "drop", "keep", "mark", "none", "en", "ur", "ps", "start", "end", "mars"]
)
"""What an address that was refused has to have, or had."""

_FUNCTION_WORDS = frozenset(
    ["the", "of", "and", "to", "is", "are", "was", "not", "with", "this", "that", "for", "by"]
)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", text.lower()))


def _english(language: str) -> set[str]:
    """The words of all English texts that are not also words of the language."""
    english, own = own_words("en") | _FUNCTION_WORDS, own_words(language)
    with (TRANSLATIONS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        for message in read_po(file):
            for words, side in ((english, message.id), (own, message.string)):
                for text in side if isinstance(side, tuple | list) else (side,):
                    words |= _words(text or "")
    own |= {word for text in WORDS[language] for word in _words(text)}
    return {word for word in english if len(word) >= 4 or word in _FUNCTION_WORDS} - own


def find_foreign(texts: dict[str, list[str]], language: str) -> dict[str, set[str]]:
    """The English words in texts, or all words in Latin letters if the language has none."""
    english = _english(language)
    assert len(english) > 300
    found: dict[str, set[str]] = {}
    for where, some in texts.items():
        refused = where.removeprefix("GET ") in REFUSED
        for text in some:
            own = _SAME.sub(" ", text)
            foreign = set(re.findall("[a-z]+", own.lower()))
            if text_direction(language) == "ltr":
                foreign = _words(own) & english
            if foreign := foreign - (_VALUES if refused else set()):
                found[f"{where}: {text[:200]}"] = foreign
    return found


def test_no_english_word_is_in_what_people_read(proof: Proof) -> None:
    assert find_foreign(proof.texts, proof.language) == {}


@pytest.mark.parametrize("text", ["Moved: Audience", "What the dates are"])
def test_english_words_are_found(text: str) -> None:
    assert all(find_foreign({"page": [text]}, language) for language in WORDS)


def test_nobody_reads_the_name_of_the_product(proof: Proof) -> None:
    assert [
        w for w, texts in proof.texts.items() if any("calfeed" in t.lower() for t in texts)
    ] == []
    assert [where for where, page in proof.pages.items() if "calfeed" in page.lower()] == []


def test_pages_are_in_their_language_only(proof: Proof) -> None:
    languages = {where: find_languages(page) for where, page in proof.pages.items()}
    assert {w: f for w, f in languages.items() if f != {proof.language}} == {}


def test_every_link_leads_somewhere_below_the_path(proof: Proof) -> None:
    seen = proof.visitor.seen
    assert {path: one.status for path, one in seen.items() if one.status >= 400} == {}
    assert proof.visitor.escaped == []
    assert len(seen) > 60


_COLONS = {
    "fr": re.compile(r"(?<=\w)[:;!?](?=\s)"),
    "ar": re.compile(r"(?<=[^\W\d])[,;?](?=\s)"),
}
"""Punctuation as in English: without the space before it, or of the Latin script."""


def test_labels_and_lists_have_the_punctuation_of_the_language(proof: Proof) -> None:
    found = {
        f"{where}: {text[:200]}"
        for where, texts in proof.texts.items()
        for text in texts
        if _COLONS[proof.language].search(_SAME.sub(" ", text))
    }
    assert found == set()


def test_exported_pages_are_in_the_language_and_each_of_their_links_has_its_file(
    proof: Proof,
) -> None:
    proof.site.do("export", "public", "--pictures")
    folder = proof.site.folder / "public"
    texts: dict[str, list[str]] = {}
    broken: list[tuple[str, str]] = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        if file.suffix in (".png", ".ico"):
            continue
        text = file.read_bytes().decode().replace("\r\n ", "")
        headers = HTTPMessage()
        headers["Content-Type"] = kind = _KINDS.get(file.suffix, "text/css")
        answer = Answer(f"{proof.base}/{name}", 200, headers, text)
        if (read := _reader_of(kind, name)) is not None:
            texts[name] = list(read(text))
        for lead in proof.visitor.list_leads(answer):
            if urlsplit(urljoin(answer.url, lead)).netloc != urlsplit(proof.base).netloc:
                continue
            # An address within a link to a web calendar ends at its next parameter.
            path = unquote(urlsplit(urljoin(answer.url, lead)).path).partition("&")[0]
            target = folder / path.removeprefix(f"{PATH}/")
            if not path.startswith(f"{PATH}/") or not _is_there(target):
                broken.append((name, lead))
    assert len(texts) > 60
    assert broken == []
    assert find_foreign(texts, proof.language) == {}
    assert [name for name, some in texts.items() if any("calfeed" in one for one in some)] == []


_KINDS = {
    ".html": "text/html",
    ".ics": "text/calendar",
    ".csv": "text/csv",
    ".js": "text/javascript",
    ".atom": "application/atom+xml",
    ".json": "application/json",
    ".xml": "application/xml",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain",
}


def _is_there(target: Path) -> bool:
    return target.is_file() or (target / "index.html").is_file()


def test_the_first_day_of_a_month_is_written_as_it_is_said(proof: Proof) -> None:
    wrong = re.compile(r"\b1 (?:janvier|mars|septembre|novembre)")
    where = f"GET calendars/{CALENDAR}/zone/"
    said = {"fr": "1er septembre 2040", "ar": "1 سبتمبر 2040"}[proof.language]
    assert any(said in text for text in proof.texts[where])
    assert not [where for where, some in proof.texts.items() if any(map(wrong.search, some))]
