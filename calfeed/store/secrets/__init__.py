"""Encryption of secrets and of private calendars, and the keys for it."""
