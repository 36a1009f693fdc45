"""Recurrence in definitions."""
