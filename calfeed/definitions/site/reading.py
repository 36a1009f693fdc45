"""Read the site of a definitions folder: `site.yaml`, the files that it names, and catalogs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from calfeed.definitions.keys.dates import WorkingDaysEntry
from calfeed.definitions.keys.site import SiteFile
from calfeed.definitions.site.files import (
    CATALOGS,
    is_about_text,
    is_catalog,
    is_image,
    is_site_file,
    is_site_material,
    language_of_catalog,
)
from calfeed.definitions.site.images import read_image
from calfeed.definitions.tree import Document, Node, Path, read_tree
from calfeed.definitions.validation import read_entry
from calfeed.model.site import (
    ABOUT_PAGES,
    DEFAULT_SITE,
    MAX_ABOUT_LENGTH,
    SHIPPED_LANGUAGES,
    Image,
    Site,
)
from calfeed.model.texts import (
    by_language,
    check_known_language,
    check_text,
    join_words,
    list_bases,
    nearest,
)

_FALLBACK: Mapping[str, Node] = {"name": "?", "languages": ["en"]}


@dataclass(frozen=True)
class SiteReading:
    """A site, and the working days in its file, which are for all calendars that define none."""

    site: Site = DEFAULT_SITE
    working_days: WorkingDaysEntry | None = None


def read_site_documents(files: Mapping[str, bytes], today: date | None) -> list[Document]:
    """Return the documents about the site: those of `site.yaml` first, then the catalogs."""
    heads = [read_tree(file, files[file], today) for file in sorted(files) if is_site_file(file)]
    return [*heads, *(Document(file) for file in sorted(files) if is_catalog(file))]


def read_site(documents: Sequence[Document], files: Mapping[str, bytes]) -> SiteReading:
    """Read the site; problems are added to the documents.

    `documents` are `site.yaml` and the catalogs; there may be none. `files` has all files of the
    folder by path.
    """
    head = next((each for each in documents if not is_catalog(each.file)), None)
    catalogs = {
        language: files[document.file]
        for document in documents
        if is_catalog(document.file) and (language := _read_language(document))
    }
    if head is None:
        return SiteReading(DEFAULT_SITE.model_copy(update={"catalogs": catalogs}))
    for other in documents:
        if other is not head and not is_catalog(other.file):
            other.report_at(0, 0, (), f"{head.file} describes the site too; keep one")
    if head.value is None:
        if not head.problems:
            head.report((), "is empty; remove it, or add its content")
        return SiteReading()
    if isinstance(head.value, dict) and "events" in head.value:
        head.report(
            ("events",),
            "belongs in a calendar, but this file describes the site; give the calendar another "
            'name, and add "formerly: [site]" to it if it was published under this one',
        )
        return SiteReading()
    entry = read_entry(SiteFile, head.value, head, (), _FALLBACK)
    if entry is None:
        return SiteReading()
    return SiteReading(_Builder(head, entry, files, catalogs).build(), entry.working_days)


class _Builder:
    """Builds a site from its entry; problems are added to the document."""

    def __init__(
        self,
        document: Document,
        entry: SiteFile,
        files: Mapping[str, bytes],
        catalogs: Mapping[str, bytes],
    ) -> None:
        self._document = document
        self._entry = entry
        self._folder = document.file.partition("/")[0]
        self._files = files
        self._catalogs = catalogs

    def build(self) -> Site:
        entry = self._entry
        languages = self._read_languages()
        default = languages[0]
        return Site(
            name=by_language(entry.name, default),
            title=by_language(entry.title, default),
            text=by_language(entry.text, default),
            languages=languages,
            logo=self._read_image("logo", entry.logo),
            icon=self._read_icon(),
            accent=entry.accent or "",
            about={
                name: texts
                for name in ABOUT_PAGES
                if (texts := self._read_about(name, default)) is not None
            },
            contact=entry.contact or "",
            time_zone=entry.time_zone or "",
            first_day=entry.first_day,
            catalogs=self._catalogs,
            credit=entry.credit,
        )

    def _read_languages(self) -> tuple[str, ...]:
        known = {*SHIPPED_LANGUAGES, *self._catalogs}
        seen: dict[str, None] = {}
        for number, tag in self._list_tags():
            place = ("languages", number)
            if tag in seen:
                self._document.report(place, f'"{tag}" is in the list twice; keep one')
            elif known.isdisjoint(list_bases(tag)):
                near = _find_near(tag, sorted(known))
                hint = f"did you mean {near}?" if near else f"there are {join_words(sorted(known))}"
                self._document.report(
                    place,
                    f'the pages have no words in "{tag}"; {hint}; `calfeed translations new {tag}` '
                    f"makes {self._folder}/{CATALOGS}/{tag}.po for another language",
                )
            seen[tag] = None
        return tuple(seen) or DEFAULT_SITE.languages

    def _list_tags(self) -> Iterator[tuple[int, str]]:
        """List the valid language tags with their numbers in the list.

        They are taken from the file, as the entry has none of them if one is invalid.
        """
        value = self._document.value
        written = value.get("languages") if isinstance(value, dict) else None
        for number, tag in enumerate(written if isinstance(written, list) else ()):
            try:
                yield number, check_known_language(str(tag))
            except ValueError:
                continue  # already reported

    def _read_icon(self) -> Image | None:
        image = self._read_image("icon", self._entry.icon)
        if image is not None and image.width != image.height:
            size = f"{image.width} by {image.height}"
            self._document.report(("icon",), f"must be square, but is {size}")
        return image

    def _read_image(self, key: str, path: str | None) -> Image | None:
        data = self._find((key,), path, is_image) if path else None
        if path is None or data is None:
            return None
        try:
            return read_image(path, data)
        except ValueError as error:
            self._document.report((key,), f"{self._folder}/{path} {error}")
        return None

    def _read_about(self, key: str, default: str) -> dict[str, str] | None:
        paths: dict[str, str] | None = by_language(getattr(self._entry, key), default)
        if paths is None:
            return None
        texts: dict[str, str] = {}
        for tag, path in paths.items():
            written = getattr(self._entry, key)
            place = (key, tag) if tag in written else (key,)
            data = self._find(place, path, is_about_text)
            if data is None:
                continue
            if not is_about_text(path):
                self._document.report(place, f"{path} is not a Markdown file; name it .md")
                continue
            try:
                texts[tag] = check_text(data.decode("utf-8-sig"), MAX_ABOUT_LENGTH)
            except UnicodeDecodeError:
                self._document.report(place, f"{path} is not UTF-8; save it as UTF-8")
            except ValueError as error:
                self._document.report(place, f"{path} {error}")
        return texts or None

    def _find(self, place: Path, path: str, is_meant: Callable[[str], bool]) -> bytes | None:
        """Return the content of a file beside `site.yaml`; report it if there is none."""
        data = self._files.get(f"{self._folder}/{path}")
        if data is None:
            names = (name.partition("/")[2] for name in self._files if is_site_material(name))
            present = sorted(name for name in names if is_meant(name))
            near = nearest(path, present) or (present[0] if len(present) == 1 else None)
            hint = f"did you mean {near}?" if near else "put the file there"
            self._document.report(place, f"there is no file {self._folder}/{path}; {hint}")
        return data


def _read_language(document: Document) -> str:
    """Return the language of a catalog from its name; report a name that is not a language tag."""
    try:
        return language_of_catalog(document.file)
    except ValueError as error:
        document.report_at(0, 0, (), f"its name {error}, followed by .po")
    return ""


def _find_near(tag: str, known: Sequence[str]) -> str | None:
    """Return the known tag that was probably meant: one of the same language, or one like it."""
    base = list_bases(tag)[-1]
    return next((each for each in known if list_bases(each)[-1] == base), nearest(tag, known))
