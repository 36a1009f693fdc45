"""Key dates kept as files, published as iCalendar feeds and signed webhook reminders."""

__version__ = "0.2.0"

import zoneinfo

# Zone rules come from the tzdata package alone, not from the system's files: otherwise two
# machines could give one event two instants, and one feed two ETags.
zoneinfo.reset_tzpath(to=())

PRODID = "-//calfeed//calfeed//EN"
"""What calfeed calls itself in its feeds (RFC 5545, 3.7.3)."""
