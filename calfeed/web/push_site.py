"""The dependencies of push in the web server, for pages and for CalDAV."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from calfeed.delivery.transport.guard import UrlRules
from calfeed.store.database import Database

RATE = "120 per hour"
"""The rate limit of a client network in each process.

It applies to changes of what browsers follow, and separately to subscriptions of CalDAV clients.
"""


class PushSite(NamedTuple):
    """The database of subscriptions, the rules for their URLs, and the public key of this site."""

    database: Database
    rules: UrlRules
    public_key: str
    clock: Callable[[], datetime]
