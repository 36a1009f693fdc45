"""What is published: calendars, events, revisions, publishes."""
