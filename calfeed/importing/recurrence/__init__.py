"""Recurring events of iCalendar files (RFC 5545, 3.8.5)."""
