"""Mails that come back: read, recognised, counted."""
