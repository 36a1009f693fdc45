"""Classify clients into families by their User-Agent (RFC 9110, 10.1.5)."""

from __future__ import annotations

import re

UNNAMED = "No name given"
OTHER = "Other programs"

# The first match wins, because many User-Agents contain "Mozilla", and Nextcloud's "crawler".
_FAMILIES = [
    (family, re.compile(pattern, re.IGNORECASE))
    for family, pattern in (
        ("Apple Calendar", r"dataaccessd|calendaragent|calaccessd|coredav|\bical/"),
        ("Google Calendar", r"google-calendar|feedfetcher-google"),
        ("Outlook and Exchange", r"microsoft|ms-?office|outlook|exchange"),
        ("Thunderbird", r"thunderbird|betterbird|lightning/"),
        ("Android apps", r"icsx5|icsdroid|davx5|davdroid|^dalvik|okhttp"),
        ("GNOME and KDE", r"evolution|gnome|akonadi|korganizer|merkuro|\bkio\b"),
        ("vdirsyncer", r"vdirsyncer|pimsync"),
        ("Calendar servers", r"nextcloud|owncloud|sogo|zimbra|horde|open-xchange|sabre"),
        ("Feed readers", r"feed|rss"),
        ("Crawlers", r"bot\b|crawl|spider|slurp"),
        ("Browsers", r"^(mozilla|opera)/"),
    )
]


def name_family(agent: str) -> str:
    """Return the family of a client by its User-Agent, which may be empty."""
    if not agent.strip():
        return UNNAMED
    return next((family for family, pattern in _FAMILIES if pattern.search(agent)), OTHER)
