"""What is stored encrypted, and the keys for it."""
