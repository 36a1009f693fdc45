"""The few words that calfeed itself puts into a feed, in the languages it knows.

The translations other than English are waiting for a native reader's review.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """Words of one language; `moved` has places for `{when}`, the old time, and `{day}`."""

    cancelled: str
    moved: str
    source: str


_WORDS = {
    "en": Words("Cancelled", "Was {when}; moved on {day}", "Source"),
    "ur": Words("منسوخ", "پہلے: {when}؛ تبدیلی کی تاریخ: {day}", "ماخذ"),
    "ps": Words("لغوه شوی", "پخوا: {when}؛ د بدلون نېټه: {day}", "سرچینه"),
    "fa": Words("لغوشده", "پیشتر: {when}؛ تاریخ تغییر: {day}", "منبع"),
}


def words_in(language: str) -> Words:
    """The words of a language (BCP 47 tag), or the English ones."""
    return _WORDS.get(language.split("-")[0], _WORDS["en"])
