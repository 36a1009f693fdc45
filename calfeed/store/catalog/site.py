"""The published site: its name, languages, look and texts."""

from __future__ import annotations

from sqlalchemy import Connection, select

from calfeed.model.site import DEFAULT_SITE, Site
from calfeed.store.tables import sites
from calfeed.store.upsert import upsert

NEVER_PUBLISHED = (0, DEFAULT_SITE)
"""The default site, and the number of the publish that last changed it."""

_ID = 1


def load_site(
    connection: Connection, known: tuple[int, Site] = NEVER_PUBLISHED
) -> tuple[int, Site]:
    """Return the site, and the number of the publish that last changed it; 0 if there is none.

    `known` is an earlier result, which is returned if the site has not changed since.
    """
    number = connection.scalar(select(sites.c.publish_id).where(sites.c.id == _ID)) or 0
    if number == known[0]:
        return known
    content = connection.scalar(select(sites.c.content).where(sites.c.id == _ID))
    return number, Site.model_validate_json(content) if content else DEFAULT_SITE


def load_name(connection: Connection, language: str) -> str:
    """Return the name of the site in a language (BCP 47 tag), or else in its default one."""
    return load_site(connection)[1].name_in(language)


def save_site(connection: Connection, site: Site, publish_id: int) -> None:
    """Insert or replace the site."""
    values = {"id": _ID, "content": site.model_dump_json(), "publish_id": publish_id}
    connection.execute(upsert(connection, sites), [values])
