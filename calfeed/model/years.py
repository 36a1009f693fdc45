"""The years that the dates of calendars lie in."""

FIRST_YEAR, LAST_YEAR = 1900, 2200
"""The first and the last year of a date in a definition, both included."""
