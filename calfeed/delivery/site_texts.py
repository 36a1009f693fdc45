"""The site as composers know it: its name and look, and its texts in each of its languages."""

from __future__ import annotations

from collections.abc import Callable

from calfeed.model.site import Site
from calfeed.reminders.mail.content import Wording
from calfeed.store.catalog.site import NEVER_PUBLISHED, load_site
from calfeed.store.database import Connection

OpenWording = Callable[[Site], Callable[[str], Wording]]
"""Returns, for a site, a function that returns its texts in a language (BCP 47 tag)."""


class SiteTexts:
    """The published site and its texts; `load` brings them up to date."""

    def __init__(self, open_wording: OpenWording) -> None:
        self._open_wording = open_wording
        self._published = NEVER_PUBLISHED
        self._wording = open_wording(self.site)

    @property
    def site(self) -> Site:
        return self._published[1]

    def load(self, connection: Connection) -> None:
        """Load the site again if it has changed."""
        published = load_site(connection, self._published)
        if published is not self._published:
            self._wording = self._open_wording(published[1])
            self._published = published

    def wording(self, language: str) -> Wording:
        """Return the texts in a language (BCP 47 tag), or else in the site's default one."""
        return self._wording(language)
