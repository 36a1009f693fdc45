"""The fonts that come with calfeed: parts of Noto, under the SIL Open Font License."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).with_name("fonts")

FAMILIES = {
    "NotoSans-Regular": "Noto Sans",
    "NotoSerif-Bold": "Noto Serif",
    "NotoNaskhArabic-Regular": "Noto Naskh Arabic",
    "NotoNaskhArabic-Bold": "Noto Naskh Arabic",
    "NotoNastaliqUrdu-Bold": "Noto Nastaliq Urdu",
}
"""The family names of the fonts, by the names of their files without `.ttf`."""


def font_file(name: str) -> str:
    return str(FOLDER / f"{name}.ttf")
