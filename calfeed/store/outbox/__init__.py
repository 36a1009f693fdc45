"""Reminders, messages, deliveries and attempts."""
