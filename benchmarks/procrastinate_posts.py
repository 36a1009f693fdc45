"""Post signed messages as jobs of Procrastinate: one worker, 50 jobs at a time, with aiohttp.

Prints the seconds from the worker's start until every job is done. The jobs and what became of
them are kept in PostgreSQL, as Procrastinate does.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime
from typing import Any

import aiohttp
from procrastinate import App, PsycopgConnector

from benchmarks.messages import SECRET, make_body, make_message_id
from calfeed.reminders.signing import sign_headers

_CONCURRENT = 50


async def post_all(database: str, urls: list[str], count: int) -> float:
    """Post `count` messages, to each of the URLs in turn, and return the seconds it took."""
    app = App(connector=PsycopgConnector(conninfo=database))
    async with (
        app.open_async(),
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONCURRENT),
            timeout=aiohttp.ClientTimeout(total=15),
        ) as session,
    ):

        async def post(url: str, message_id: str, text: str) -> None:
            body = text.encode()
            headers = sign_headers(message_id, datetime.now(UTC), body, [SECRET])
            headers["content-type"] = "application/json"
            async with session.post(url, data=body, headers=headers) as answer:
                await answer.read()
                if answer.status != 204:
                    raise RuntimeError(f"the sink answered {answer.status}")

        task = app.task(name="post")(post)
        await app.schema_manager.apply_schema_async()
        jobs: list[dict[str, Any]] = [
            {
                "url": urls[number % len(urls)],
                "message_id": make_message_id(number),
                "text": make_body(number).decode(),
            }
            for number in range(count)
        ]
        await task.batch_defer_async(*jobs)
        began = time.perf_counter()
        await app.run_worker_async(concurrency=_CONCURRENT, wait=False)
        took = time.perf_counter() - began
        done = len(list(await app.job_manager.list_jobs_async(status="succeeded")))
        if done != count:
            raise RuntimeError(f"Procrastinate finished {done} of {count} jobs")
    return took


def main() -> None:
    """Post to the URLs of the command line, behind the database and the number of messages."""
    print(asyncio.run(post_all(sys.argv[1], sys.argv[3:], int(sys.argv[2]))))
