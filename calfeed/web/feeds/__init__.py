"""Feeds: their routes, options and bytes."""
