"""Write iCalendar: VEVENTs, time zones and feeds (RFC 5545, 7986)."""
