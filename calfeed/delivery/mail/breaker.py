"""Keep mails in the outbox while the site's mail server fails, and log this."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from calfeed.delivery.mail.replies import MailError
from calfeed.reminders.retry import Fault, Outcome

_log = logging.getLogger(__name__)

_OPEN_SECONDS = 60.0
"""How long no mail is tried after the server failed; after that, one mail is tried."""

_REPEAT_LOG_SECONDS = 600.0


class Breaker:
    """Remembers whether the mail server works. Thread-safe.

    After a fault of the site's own mail server or its settings (`Fault.SITE`), no mail is admitted
    for a minute. Then one mail is admitted; if the server works again, the others are admitted too.
    So an outage of any length uses up no attempts, and no person is paused because of it.
    """

    def __init__(self, server: str, elapsed: Callable[[], float]) -> None:
        self._server = server
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._failure: MailError | None = None
        self._retry_at = 0.0
        self._may_try = False
        self._logged: tuple[str, float] | None = None

    def admits(self) -> bool:
        """Return whether a mail may be tried; after a failure, one mail per minute."""
        with self._lock:
            if self._failure is None:
                return True
            now = self._elapsed()
            if now < self._retry_at:
                return False
            self._retry_at, self._may_try = now + _OPEN_SECONDS, True
            return True

    def check(self) -> None:
        """Raise the failure, unless this mail is the one to try."""
        with self._lock:
            if self._failure is not None and not self._may_try:
                raise self._failure
            self._may_try = False

    def record(self, outcome: Outcome) -> None:
        """Update the state after the outcome of a mail."""
        with self._lock:
            if outcome.fault is not Fault.SITE:
                if self._failure is not None:
                    _log.info("the mail server %s works again", self._server)
                self._failure, self._logged = None, None
                return
            now, error = self._elapsed(), outcome.error or ""
            known = self._logged
            if known is None or known[0] != error or now - known[1] >= _REPEAT_LOG_SECONDS:
                self._logged = error, now
                _log.error(
                    "mails wait, because the mail server %s fails: %s; see CALFEED_MAIL_URL and "
                    "CALFEED_MAIL_FROM",
                    self._server,
                    error,
                )
            if self._failure is None:
                self._retry_at = now + _OPEN_SECONDS
            self._failure = MailError(outcome.status, error, fault=Fault.SITE)
