"""The published state: calendars, events, revisions and publishes."""
