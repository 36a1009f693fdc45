"""Feeds: their addresses, the choices in them, their bytes."""
