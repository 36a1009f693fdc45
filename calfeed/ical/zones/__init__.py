"""Time zones in feeds (VTIMEZONE, RFC 5545, 3.6.5)."""
