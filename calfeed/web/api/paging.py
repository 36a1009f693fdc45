"""Pagination by limit and cursor."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from calfeed.web.api.problems import Mistake, ProblemError, validation_problem

Item = TypeVar("Item")
Entry = TypeVar("Entry")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_MAX_NUMBER = 2**53
"""The maximum of a number in a cursor. As microseconds since 1970, it is in the year 2255."""


class Query(BaseModel):
    """Query parameters; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Query):
    """The parameters of a page."""

    limit: int = Field(50, ge=1, le=200, description="The maximum number of items.")
    cursor: str | None = Field(
        None,
        pattern="^[A-Za-z0-9_-]{1,400}$",
        description="The `next` of the previous page.",
    )


class Page(BaseModel, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        return f"{params[0].__name__}Page"


def write_cursor(*place: str | int) -> str:
    text = json.dumps(place, ensure_ascii=False, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(
    cursor: str | None, *kinds: type, former: tuple[type, ...] = ()
) -> tuple[Any, ...] | None:
    """Decode a cursor whose parts have these types; return None for no cursor.

    `former` are the types of an older format that is still accepted. Raises ProblemError for an
    invalid cursor.
    """
    if cursor is None:
        return None
    place = _decode(cursor)
    if place is None or tuple(map(type, place)) not in (kinds, former or kinds):
        raise _invalid("?cursor")
    return tuple(place)


def read_numbers(cursor: str | None, pointer: str = "?after") -> list[int]:
    """Decode a cursor of any number of numbers; return an empty list for no cursor.

    Raises ProblemError, which names the `pointer`, for an invalid cursor.
    """
    place = [] if cursor is None else _decode(cursor)
    if place is None or any(type(part) is not int for part in place):
        raise _invalid(pointer)
    return place


def _decode(cursor: str) -> list[Any] | None:
    """Return the parts of a cursor, None if it is not valid."""
    try:
        place = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        json.dumps(place, ensure_ascii=False).encode()  # fails for a lone surrogate
    except ValueError:
        return None
    if not isinstance(place, list) or any(type(part) not in (int, str) for part in place):
        return None
    too_large = any(
        abs(part) > _MAX_NUMBER if isinstance(part, int) else "\0" in part for part in place
    )
    return None if too_large else place


def _invalid(pointer: str) -> ProblemError:
    detail = "this is not a cursor of this list; use `next` of the previous page unchanged"
    return validation_problem([Mistake(pointer=pointer, detail=detail)])


def paginate(
    entries: Iterable[Entry],
    place_of: Callable[[Entry], tuple[str | int, ...]],
    query: PageQuery,
    kinds: tuple[type, ...],
) -> tuple[list[Entry], str | None]:
    """Return a page of entries, sorted by position, and the cursor of the next page."""
    after = read_cursor(query.cursor, *kinds)
    listed = sorted(
        (entry for entry in entries if after is None or place_of(entry) > after), key=place_of
    )
    return cut(listed, place_of, query.limit)


def cut(
    listed: list[Entry], place_of: Callable[[Entry], tuple[str | int, ...]], limit: int
) -> tuple[list[Entry], str | None]:
    """Return the first `limit` entries, and the cursor of the next page."""
    page = listed[:limit]
    return page, write_cursor(*place_of(page[-1])) if len(listed) > limit else None


def to_number(moment: datetime) -> int:
    """Return a time as microseconds since 1970 (UTC), for a cursor."""
    return (moment - _EPOCH) // _MICROSECOND


def to_moment(number: int) -> datetime:
    return _EPOCH + number * _MICROSECOND
