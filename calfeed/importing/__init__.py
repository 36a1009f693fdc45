"""Foreign files as definitions: iCalendar (RFC 5545) to YAML."""
