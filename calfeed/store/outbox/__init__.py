"""Reminders, messages and deliveries, from the plan to the record of each attempt."""
