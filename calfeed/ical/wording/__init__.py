"""Texts for people in several languages: dates, descriptions, changes."""
