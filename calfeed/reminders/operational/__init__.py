"""Operational messages: what operators have to know about their installation."""
