"""Post signed messages with aiohttp, 64 at a time, from a list in memory: no queue, no record.

What most people would write, and the limit of what they would get. Prints the seconds it took.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import aiohttp

from benchmarks.messages import SECRET, make_body, make_message_id
from calfeed.reminders.signing import sign_headers

_CONCURRENT = 64


async def post_all(urls: list[str], count: int) -> float:
    """Post `count` messages, to each of the URLs in turn, and return the seconds it took."""
    work = iter([(urls[number % len(urls)], number) for number in range(count)])
    bodies = [make_body(number) for number in range(count)]

    async def post_some(session: aiohttp.ClientSession, work: Iterator[tuple[str, int]]) -> None:
        for url, number in work:
            body = bodies[number]
            headers = sign_headers(make_message_id(number), datetime.now(UTC), body, [SECRET])
            headers["content-type"] = "application/json"
            async with session.post(url, data=body, headers=headers) as answer:
                await answer.read()
                if answer.status != 204:
                    raise RuntimeError(f"the sink answered {answer.status}")

    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_CONCURRENT), timeout=aiohttp.ClientTimeout(total=15)
    ) as session:
        began = time.perf_counter()
        await asyncio.gather(*(post_some(session, work) for _ in range(_CONCURRENT)))
        return time.perf_counter() - began


if __name__ == "__main__":
    print(asyncio.run(post_all(sys.argv[2:], int(sys.argv[1]))))
