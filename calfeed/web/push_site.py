"""What pushing needs in the web server, for pages and for the CalDAV door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from calfeed.delivery.transport.guard import UrlRules
from calfeed.store.database import Database

RATE = "120 per hour"
"""How often a client network can change what browsers follow, and as often CalDAV clients'
subscriptions, in each process."""


class PushSite(NamedTuple):
    """Where subscriptions are kept, which URLs they may have, and the public key of this site."""

    database: Database
    rules: UrlRules
    public_key: str
    clock: Callable[[], datetime]
