"""Suggestions in error messages for common mistakes."""
