"""Dates: how long, how precisely known, and how counted."""
