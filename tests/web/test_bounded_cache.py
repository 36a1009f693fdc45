"""The cache makes each value once, and keeps to its bound, overhead included."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from calfeed.web.feeds.feed_options import FeedOptions
from calfeed.web.published.bounded_cache import BoundedCache
from calfeed.web.published.responses import ResponseCache, build_response
from tests.web.published import make_site


def test_who_asks_while_a_value_is_made_waits_for_it() -> None:
    cache: BoundedCache[str, str] = BoundedCache(100, lambda key, value: 1)
    asked = threading.Barrier(2)
    go_on = threading.Event()
    made = []

    def make() -> str:
        asked.wait()
        go_on.wait()
        made.append(1)
        return "value"

    with ThreadPoolExecutor(10) as pool:
        first = pool.submit(cache.get_or_make, "key", make)
        asked.wait()
        others = [pool.submit(cache.get_or_make, "key", make) for _ in range(9)]
        go_on.set()
        assert {one.result() for one in (first, *others)} == {"value"}
    assert made == [1]


def test_an_error_reaches_all_who_waited_and_the_next_one_tries_again() -> None:
    cache: BoundedCache[str, str] = BoundedCache(100, lambda key, value: 1)

    def fail() -> str:
        raise ValueError("not possible")

    for _ in range(2):
        with pytest.raises(ValueError, match="not possible"):
            cache.get_or_make("key", fail)
    assert cache.get_or_make("key", lambda: "value") == "value"


def test_what_is_larger_than_the_bound_is_given_out_and_not_kept() -> None:
    cache: BoundedCache[str, int] = BoundedCache(10, lambda key, value: value)
    assert cache.get_or_make("small", lambda: 4) == 4
    assert cache.get_or_make("large", lambda: 11) == 11
    assert (cache.get("small"), cache.get("large"), cache.size) == (4, None, 4)


def test_answers_are_counted_with_what_holds_them() -> None:
    """Bodies of a few bytes, under long keys: nearly all is headers, keys and places in tables."""
    cache: ResponseCache[tuple[str, FeedOptions]] = ResponseCache(8_000_000)
    headers = [(f"Name-{number}", "value " * 5) for number in range(6)]
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(4_000):
            own = [(name, f"{value}{number}") for name, value in headers]
            answer = build_response(b"body %d" % number, "text/html", None, own)
            cache.put((f"/path/{number}", FeedOptions(("a", "b"), f"en-{number}")), answer)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert cache.get(("/path/0", FeedOptions(("a", "b"), "en-0"))) is None
    assert used < 8_000_000


def test_a_shape_that_many_ask_for_at_once_is_made_once(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    site.publish(
        {"desk": "name: Desk\ntime_zone: UTC\nevents: {it: {summary: It, start: 2027-01-01}}"}
    )
    snapshot = site.state.snapshot
    with ThreadPoolExecutor(10) as pool:
        for path in ("/calendars/desk.jcal", "/calendars/desk.json", "/calendars/desk.csv"):
            found = list(pool.map(lambda path: snapshot.find(path, ""), [path] * 10))
            assert len({id(one) for one in found}) == 1
    site.database.close()
