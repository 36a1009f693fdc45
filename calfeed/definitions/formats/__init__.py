"""The formats of single values: dates, times, time zones, slugs."""
