"""The web server of this machine, and the public URL.

Whether this installation responds there, behind how many proxies, and with which certificate.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from calfeed.counting import count
from calfeed.services.doctor.findings import Finding, ok, problem, warning
from calfeed.services.doctor.probing import (
    FORWARDED_HEADER,
    LINEAGE_HEADER,
    Answer,
    UnreachableError,
    probe,
)
from calfeed.settings import Settings

_SERVER, _PUBLIC, _CERTIFICATE, _PROXIES = "web server", "public URL", "certificate", "proxies"

_NUMBER = re.compile(r"[0-9]{1,3}")

_MAX_NOTICE = timedelta(days=21)
_NOTICE_SHARE = 4
"""If less than a quarter of a certificate's lifetime is left, or less than 21 days if that is
shorter, its renewal is late: certificates are usually renewed when a third is left."""


def check_server(settings: Settings, load_mark: Callable[[], str]) -> Iterator[Finding]:
    """Ask the web server of this machine whether it is ready."""
    url = settings.local_base_url
    try:
        answer = probe(f"{url}/readyz")
    except UnreachableError as error:
        yield warning(
            _SERVER,
            f"none answers at {url}: {error}",
            "start `calfeed serve` or `calfeed web`, unless it runs on another machine",
        )
        return
    yield judge_identity(_SERVER, url, answer, load_mark())


def check_public_url(
    settings: Settings, load_mark: Callable[[], str], now: datetime
) -> Iterator[Finding]:
    """Request the public URL as a reader would, and judge who responds."""
    url = settings.public_url
    if url is None:
        yield warning(
            _PUBLIC,
            f"is not set: feeds and messages contain {settings.local_base_url}",
            "set CALFEED_PUBLIC_URL, if others should reach calfeed",
        )
        return
    try:
        answer = probe(f"{url}/readyz")
    except UnreachableError as error:
        yield problem(
            _PUBLIC,
            f"{url} is not reached from here: {error}",
            "look at the DNS, the firewall and the proxy (docs/operating.md)",
        )
        return
    yield judge_identity(_PUBLIC, url, answer, load_mark())
    if answer.certificate is not None:
        yield judge_certificate(*answer.certificate, now)
    seen = answer.headers.get(FORWARDED_HEADER, "")
    if _NUMBER.fullmatch(seen):
        yield judge_proxies(int(seen), settings.trusted_proxies)


def judge_identity(subject: str, url: str, answer: Answer, mark: str) -> Finding:
    """Judge whether the response is from this installation, and says that it is ready.

    `mark` is the lineage of this installation, "" if it is unknown.
    """
    lineage = answer.headers.get(LINEAGE_HEADER)
    if lineage is None:
        what = f"{url} is answered by something else (status {answer.status})"
        advice = "look at what listens there, and whether the proxy leads to calfeed's port"
        return problem(subject, what, advice)
    if mark and lineage != mark:
        return problem(
            subject,
            f"{url} is answered by another installation, or with another database",
            "give all processes the same settings, and restart those started before a restore",
        )
    if answer.status != 200:
        return problem(subject, f"{url} is not ready: {answer.body}", "look at the database")
    return ok(subject, f"{url} is answered by this installation" if mark else f"{url} answers")


def judge_certificate(begin: datetime, end: datetime, now: datetime) -> Finding:
    """Judge how long a trusted certificate, valid from `begin` to `end` (UTC), is still valid."""
    left = end - now
    text = f"valid until {end:%Y-%m-%d}, {count(max(left.days, 0), 'more day')}"
    if left < min(_MAX_NOTICE, (end - begin) / _NOTICE_SHARE):
        return warning(_CERTIFICATE, text, "see why it is not renewed")
    return ok(_CERTIFICATE, text)


def judge_proxies(seen: int, trusted: int) -> Finding:
    """Compare the number of proxies that added to X-Forwarded-For with the setting."""
    text = f"{seen} added to X-Forwarded-For, and CALFEED_TRUSTED_PROXIES is {trusted}"
    advice = f"set CALFEED_TRUSTED_PROXIES={seen}"
    if seen < trusted:
        return problem(_PROXIES, f"{text}: clients can choose their address", advice)
    if seen > trusted:
        return warning(_PROXIES, f"{text}: limits by address apply to all clients together", advice)
    return ok(_PROXIES, text)
