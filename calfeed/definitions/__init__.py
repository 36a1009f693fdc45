"""Definitions: what the files under `events/` say, read and checked."""
