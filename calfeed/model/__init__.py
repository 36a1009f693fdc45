"""Frozen values: calendars, events, revisions, and what they are made of."""
