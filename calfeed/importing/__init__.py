"""Import iCalendar files (RFC 5545) as YAML definitions."""
