"""Reminders: due times, messages, digests, signatures, retries, endpoint options."""
