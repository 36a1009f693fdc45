"""Dates: durations, precision, offsets, working days, reminder rules."""
