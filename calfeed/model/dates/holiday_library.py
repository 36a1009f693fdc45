"""Holidays of countries and their subdivisions, from the library `holidays`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from datetime import date
from functools import cache, cached_property, lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from calfeed.model.dates.working_days import (
    ALWAYS_NAMED,
    Holiday,
    WorkingDayRules,
    WorkingDays,
)
from calfeed.model.texts import shortened

if TYPE_CHECKING:
    from holidays.holiday_base import HolidayBase

_LANGUAGES = (*ALWAYS_NAMED, "ar", "de", "es", "fr")
"""The languages in which holidays are named in addition to English, if the library has them."""


class HolidayLibrary:
    """The holidays of the installed release of the library (`HolidayData`)."""

    @cached_property
    def release(self) -> str:
        """The library and its version: "holidays 0.109"."""
        return f"holidays {version('holidays')}"

    def find_holiday(self, region: str, day: date) -> Holiday | None:
        """Return the holiday of a region on a day.

        Raises ValueError for a year without data, because the library would return no holidays.
        """
        return _load_year(region, day.year).get(day)

    def is_weekend(self, region: str, day: date) -> bool:
        """Return whether a day is a weekend day without work in a region."""
        english = _load(region, "en_US")
        return day not in english and not english.is_working_day(day)


HOLIDAY_LIBRARY = HolidayLibrary()


def check_region(text: str) -> str:
    """Return a region in canonical form, `PK` or `GB-SCT`. Raises ValueError if it is unknown."""
    # Imported late: most definitions count no working days, and loading takes 50 ms.
    from holidays import list_supported_countries

    known = list_supported_countries(include_aliases=False)
    country, _, subdivision = text.strip().upper().partition("-")
    if country not in known:
        raise ValueError(
            f'"{shortened(text)}" is not a country with known holidays; write its two letters by '
            "ISO 3166, such as PK, or with a part of it, such as GB-SCT"
        )
    if subdivision and subdivision not in known[country]:
        parts = ", ".join(sorted(known[country])[:20]) or "none"
        raise ValueError(f'"{shortened(text)}" is not a part of {country}; its parts are: {parts}')
    return f"{country}-{subdivision}" if subdivision else country


@lru_cache(maxsize=256)
def _load_year(region: str, year: int) -> Mapping[date, Holiday]:
    english = _load(region, "en_US")
    if not english.start_year <= year <= english.end_year:
        raise ValueError(
            f"the holidays of {region} are known from {english.start_year} to {english.end_year}, "
            f"not for {year}"
        )
    first, after = date(year, 1, 1), date(year + 1, 1, 1)
    with warnings.catch_warnings(record=True) as surprises:
        warnings.simplefilter("always")
        _ = first in english  # the library adds a year when one of its days is looked up
    if surprises:  # the library has only some holidays of the year, not those by the lunar calendar
        english.years.discard(year)
        raise ValueError(
            f"the holidays of {region} are not known for {year}: {surprises[0].message}"
        )
    others = {tag: _load(region, name) for tag, name in _find_languages(region).items()}
    days = [day for day in english if first <= day < after]
    return {
        day: Holiday(
            {
                "en": _name(english[day]),
                **{tag: _name(other[day]) for tag, other in others.items() if day in other},
            },
            # Only the English names have this remark in English.
            "(estimated)" in english[day],
        )
        for day in days
    }


def _name(name: str) -> str:
    """Return a name without remarks such as "(estimated)", which `Holiday.estimated` records."""
    return re.sub(r" ?\([^)]*\)", "", name)


def find_working_days(rules: WorkingDayRules) -> WorkingDays:
    """Return the working days by these rules and the library; looked-up days are cached."""
    return _find_working_days(rules.model_dump_json())


@lru_cache(maxsize=256)
def _find_working_days(rules: str) -> WorkingDays:
    return WorkingDays(WorkingDayRules.model_validate_json(rules), HOLIDAY_LIBRARY)


@cache
def _load(region: str, language: str) -> HolidayBase:
    from holidays import country_holidays

    country, _, subdivision = region.partition("-")
    return country_holidays(country, subdiv=subdivision or None, language=language)


def _find_languages(region: str) -> dict[str, str]:
    """Return the library's names for the languages that it has for a region, by language tag."""
    supported = _load(region, "en_US").supported_languages
    return {tag: name for tag in _LANGUAGES for name in supported if name.split("_")[0] == tag}
