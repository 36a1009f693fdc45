"""Frozen values: calendars, events, revisions, and their parts."""
