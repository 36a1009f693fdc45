"""Reports: histories of events, sent messages and feed statistics."""
