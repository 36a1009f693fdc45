"""Subscriptions of browsers and CalDAV clients that are pushed to."""
