"""The XML of CalDAV requests and responses."""
