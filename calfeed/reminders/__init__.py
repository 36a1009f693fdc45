"""Reminders: when they are due, what messages say, how they are signed and tried again."""
