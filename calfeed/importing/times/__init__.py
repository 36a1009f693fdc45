"""Import times and time zones (RFC 5545, 3.3.4, 3.3.5, 3.6.5)."""
