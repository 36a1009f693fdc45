"""Key dates kept as files, published as iCalendar feeds and signed webhook reminders."""

__version__ = "0.2.0"

import zoneinfo

# Zone rules come only from the tzdata package, not from the files of the system. Otherwise two
# machines with different rules could compute different instants for the same event, and different
# ETags for the same feed.
zoneinfo.reset_tzpath(to=())

PRODID = "-//calfeed//calfeed//EN"
"""The product identifier in the feeds (RFC 5545, 3.7.3)."""
