"""Pages of long lists: a limit, and a cursor that says where the next page begins."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from calfeed.web.api.problems import Mistake, refuse_input

Item = TypeVar("Item")
Entry = TypeVar("Entry")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_LARGEST = 2**53
"""Of a number in a cursor: as a time that is in the year 2255."""


class Query(BaseModel):
    """The parameters of a request; what is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Query):
    """Which part of a list."""

    limit: int = Field(50, ge=1, le=200, description="How many at most.")
    cursor: str | None = Field(
        None,
        pattern="^[A-Za-z0-9_-]{1,400}$",
        description="Where to go on: `next` of the page before.",
    )


class Page(BaseModel, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Its name in the OpenAPI document."""
        return f"{params[0].__name__}Page"


def write_cursor(*place: str | int) -> str:
    """A place in a list as a cursor."""
    text = json.dumps(place, ensure_ascii=False, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(
    cursor: str | None, *kinds: type, former: tuple[type, ...] = ()
) -> tuple[Any, ...] | None:
    """The place that a cursor stands for, its parts of these types; None for no cursor.

    `former` are the types of an older form that is still valid. Raises RefusalError for a cursor
    that calfeed did not make.
    """
    if cursor is None:
        return None
    try:
        place = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        fits = isinstance(place, list) and tuple(map(type, place)) in (kinds, former or kinds)
        good = fits and not any(
            abs(part) > _LARGEST if isinstance(part, int) else "\0" in part for part in place
        )
        json.dumps(place, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except ValueError:
        good = False
    if not good:
        detail = "this is no cursor of this list; give `next` of the page before, unchanged"
        raise refuse_input([Mistake(pointer="?cursor", detail=detail)])
    return tuple(place)


def paginate(
    entries: Iterable[Entry],
    place_of: Callable[[Entry], tuple[str | int, ...]],
    query: PageQuery,
    kinds: tuple[type, ...],
) -> tuple[list[Entry], str | None]:
    """A page of what is in memory, in the order of the places, and the cursor of the next."""
    behind = read_cursor(query.cursor, *kinds)
    listed = sorted(
        (one for one in entries if behind is None or place_of(one) > behind), key=place_of
    )
    return cut(listed, place_of, query.limit)


def cut(
    listed: list[Entry], place_of: Callable[[Entry], tuple[str | int, ...]], limit: int
) -> tuple[list[Entry], str | None]:
    """The first `limit` of a list, and the cursor of what comes behind them."""
    page = listed[:limit]
    return page, write_cursor(*place_of(page[-1])) if len(listed) > limit else None


def to_number(moment: datetime) -> int:
    """A moment as a cursor has it: microseconds since 1970 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def to_moment(number: int) -> datetime:
    """The moment (UTC) of a number that `read_cursor` gave."""
    return _EPOCH + number * _MICROSECOND
