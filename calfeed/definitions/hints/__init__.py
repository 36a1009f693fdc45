"""What people type instead of what is right, and the message that says what to write."""
