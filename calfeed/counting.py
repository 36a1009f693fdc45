"""Counts with their nouns in messages."""

from __future__ import annotations


def count(number: int, word: str) -> str:
    """Format a count with its noun: "1 warning", "3 deliveries", "1,200 days"."""
    if number == 1:
        return f"1 {word}"
    plural = f"{word[:-1]}ies" if word[-1] == "y" and word[-2] not in "aeo" else f"{word}s"
    return f"{number:,} {plural}"
