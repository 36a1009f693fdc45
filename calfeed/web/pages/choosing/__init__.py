"""Choosing what goes into a feed, and subscribing to it."""
