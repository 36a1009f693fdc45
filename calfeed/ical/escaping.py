"""Text as feeds write it (RFC 5545, 3.3.11)."""

from __future__ import annotations

from icalendar import vText


class Escaped(vText):
    """A text that comes back as it was.

    icalendar takes a backslash and an N in the text itself for a line break, so that `C:\\New`
    would arrive in two lines.
    """

    def to_ical(self) -> bytes:
        """The text with its backslashes, semicolons, commas and line breaks escaped."""
        text = str(self).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
        return text.replace("\r\n", "\\n").replace("\n", "\\n").encode()
