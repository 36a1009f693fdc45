"""The words that calfeed adds to feeds, in several languages.

Native speakers have not reviewed the translations yet.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """The words of one language; `moved` has the placeholders `{when}` (old time) and `{day}`."""

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
    """Return the words of a language (BCP 47 tag), by default English."""
    return _WORDS.get(language.split("-")[0], _WORDS["en"])
