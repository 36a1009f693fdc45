"""Requests by chance for the public addresses of a site, most of them with something hostile."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from urllib.parse import quote, quote_from_bytes

from flask import Flask

from calfeed.web.pages.query import KNOWN
from calfeed.web.published.snapshot import Snapshot

_FEEDS = ("alarms", "cancelled", "category", "lang", "past")
_UNKNOWN = ("utm_source", "_", "v", "", "LANG", "q[]", "%00", "__proto__")

_VALUES = (
    *("", "0", "1", "-1", "all", "mark", "keep", "month", "year", "agenda", "true", "null", "None"),
    *("2027-06", "2027-06-01", "0001-01-01", "0000-00-00", "9999-12-31", "9999-12", "10000-01-01"),
    *("1899-12-31", "1900-01-01", "2199-12-31", "2200-12", "2027-02-30", "2027-W01-1", "20270601"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2027-06-01T00:00:00Z", "1e999"),
    *("UTC", "Asia/Karachi", "Etc/GMT+12", "../../etc/passwd", "localtime", "posix/UTC", "utc"),
    *("en", "ur", "fa-AF", "prs", "EN-gb", "en-x-private", "x-only", "i-klingon", "und", "*", "!"),
    *("۱۲", "²", "١٢٣", "①", "İ", "ß", "\u202e", "\ufeff", "\ud7ff", "😀" * 20, "اجلاس", "Ą̈̈"),
    *("'", '"', "<script>", "{{7*7}}", "${7*7}", "%", "%%", "%s", "\\", ",", ";", "&", "="),
)
_BYTES = (b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\r\n", b"\x80")
_HEADERS = (
    ("Accept-Language", ("ur", "fa-AF,fa;q=0.9", "xx-" * 300, ";q=;", "*", "en;q=nan", "\x01")),
    ("Accept-Encoding", ("gzip", "br", "gzip;q=0", "*;q=x", "gzip," * 2_000)),
    ("Accept", ("text/html", "application/json", "*/*;q=", "x" * 3_000, "text/html;level=1")),
    ("If-None-Match", ("*", '"x"', 'W/"x"', '"' * 2_000, "x,y")),
    ("If-Modified-Since", ("Mon, 01 Jan 0001 00:00:00 GMT", "yesterday", "9" * 500)),
    ("Range", ("bytes=0-1", "bytes=-" + "9" * 400, "lines=1")),
    ("X-Forwarded-For", ("1.2.3.4", "x" * 2_000, "::1, unknown")),
)
_ELSEWHERE = ("/healthz", "/console/sign-in", "/api/", "/api/openapi.json", "/api/v1/calendars")


def list_paths(app: Flask, snapshot: Snapshot) -> list[str]:
    """Every public path of a site: what is looked up, and the routes of its application."""
    names: dict[frozenset[str], list[dict[str, str]]] = {
        frozenset(): [{}],
        frozenset({"slug"}): [{"slug": slug} for slug in (*snapshot.calendars, *snapshot.renamed)],
        frozenset({"slug", "event_slug"}): [
            {"slug": row.calendar, "event_slug": row.slug} for row in snapshot.rows()
        ],
        frozenset({"token", "slug"}): [
            {"token": "cft_x", "slug": slug} for slug in snapshot.renamed
        ],
        frozenset({"filename"}): [{"filename": "style.css"}],
    }
    adapter = app.url_map.bind("")
    paths = {*snapshot.responses, *snapshot.other_formats, *_ELSEWHERE}
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and "shape" not in rule.arguments:
            for each in names.get(frozenset(rule.arguments), []):
                paths.add(adapter.build(rule.endpoint, each))
    return sorted(paths)


class Asker:
    """Makes requests by chance, the same ones for the same seed."""

    def __init__(self, paths: Sequence[str], categories: Sequence[str], seed: int) -> None:
        self._choose = Random(seed)
        self._paths = paths
        self._values = (*_VALUES, *categories)

    def make(self) -> bytes:
        """A request for HTTP/1.1, with its Host header."""
        choose = self._choose
        method = choose.choices(("GET", "HEAD", "POST", "PUT"), (90, 7, 2, 1))[0]
        lines = [f"{method} {self._make_target()} HTTP/1.1", "Host: calendar.example.org"]
        for name, values in _HEADERS:
            if choose.random() < 0.1:
                lines.append(f"{name}: {choose.choice(values)}")
        if method in ("POST", "PUT"):
            lines.append("Content-Length: 0")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _make_target(self) -> str:
        choose = self._choose
        path = choose.choice(self._paths)
        if choose.random() < 0.1:
            path = self._spoil(path)
        query = "&".join(self._make_pair() for _ in range(choose.choice((0, 1, 1, 1, 2, 3, 60))))
        return f"{path}?{query}" if query else path

    def _spoil(self, path: str) -> str:
        """A path with one of its parts replaced, left out or added."""
        choose = self._choose
        parts = path.split("/")
        place = choose.randrange(1, len(parts))
        spoilt = [self._make_value(), "..", "", "x" * 3_000, f"{parts[place]}.ics"]
        return "/".join([*parts[:place], choose.choice(spoilt), *parts[place + 1 :]])

    def _make_pair(self) -> str:
        choose = self._choose
        known = sorted(KNOWN | {*_FEEDS})
        name = choose.choice(known) if choose.random() < 0.85 else choose.choice(_UNKNOWN)
        return f"{name}={self._make_value()}" if choose.random() < 0.97 else name

    def _make_value(self) -> str:
        choose = self._choose
        kind = choose.random()
        if kind < 0.6:
            return quote(choose.choice(self._values), safe="")
        if kind < 0.75:  # never the same twice
            tag = f"{choose.randrange(10**9)}"
            return choose.choice((f"en-x-{tag[:8]}", tag, f"2{tag[:3]}-0{tag[-1]}-1{tag[-2]}"))
        if kind < 0.85:
            return choose.choice(("9", "0", "-", "a", "%C3%A9", "en-")) * choose.choice((30, 700))
        if kind < 0.95:
            return quote_from_bytes(choose.choice(_BYTES), safe="")
        return "".join(f"%{choose.randrange(256):02X}" for _ in range(choose.randrange(40)))
