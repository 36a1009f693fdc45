"""The names of the files that describe a site: `site.yaml`, `site/`, `translations/`."""

from __future__ import annotations

from calfeed.model.texts import check_known_language

SITE_FOLDER = "site"
"""The folder of the images and texts that `site.yaml` names; it is beside that file."""

CATALOGS = "translations"
"""The folder of gettext catalogs by language (`sw.po`), beside the calendars."""

_SITE_FILES = ("site.yaml", "site.yml")
_IMAGES = (".svg", ".png")
_TEXTS = (".md",)
_CATALOG = ".po"

SUFFIXES_OF_MATERIAL = (*_IMAGES, *_TEXTS, _CATALOG)
"""The suffixes of catalogs, and of files that `site.yaml` may name."""


def is_site_file(file: str) -> bool:
    """Return whether a file describes the site, from its path (`events/site.yaml`)."""
    return file.partition("/")[2] in _SITE_FILES


def is_catalog(file: str) -> bool:
    return _is_in(file, CATALOGS) and file.endswith(_CATALOG)


def is_image(file: str) -> bool:
    return file.lower().endswith(_IMAGES)


def is_about_text(file: str) -> bool:
    return file.lower().endswith(_TEXTS)


def is_site_material(file: str) -> bool:
    """Return whether a file is a catalog, or one that `site.yaml` may name."""
    return is_catalog(file) or (
        _is_in(file, SITE_FOLDER) and file.lower().endswith((*_IMAGES, *_TEXTS))
    )


def language_of_catalog(file: str) -> str:
    """Return the language of a catalog from its name; raise ValueError if it is no language tag."""
    return check_known_language(file.rpartition("/")[2].removesuffix(_CATALOG))


def _is_in(file: str, folder: str) -> bool:
    return file.partition("/")[2].startswith(f"{folder}/")
