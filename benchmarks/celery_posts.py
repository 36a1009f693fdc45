"""Post signed messages as tasks of Celery, each process with one session of requests.

Nothing is kept of a task that is done, and one is acknowledged before it runs, both as Celery has
it: quicker, and a crash loses what was under way.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache

import requests
from celery import Celery

from benchmarks.messages import SECRET
from benchmarks.rivals import BROKER
from calfeed.reminders.signing import sign_headers

app = Celery("benchmarks.celery_posts", broker=os.environ.get(BROKER))
app.conf.update(
    task_ignore_result=True,
    # Warned of where it is left open; the broker is there.
    broker_connection_retry_on_startup=False,
)


@cache
def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # it would look for a proxy at each post
    return session


def _post(url: str, message_id: str, text: str) -> None:
    body = text.encode()
    headers = sign_headers(message_id, datetime.now(UTC), body, [SECRET])
    headers["content-type"] = "application/json"
    answer = _session().post(url, data=body, headers=headers, timeout=15)
    if answer.status_code != 204:
        raise RuntimeError(f"the sink answered {answer.status_code}")


post = app.task(_post, name="post")
"""Post one message."""
