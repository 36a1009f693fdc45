"""The XML of CalDAV: what clients send, and what they get."""
