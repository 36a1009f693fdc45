"""The supported range of years."""

FIRST_YEAR, LAST_YEAR = 1900, 2200
"""The first and last year of a date in a definition, inclusive."""
