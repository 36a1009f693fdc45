"""iCalendar: events as VEVENT bytes, their time zones, the feeds made of them (RFC 5545, 7986)."""
