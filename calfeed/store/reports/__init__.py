"""What happened: histories, messages that were sent, feed statistics."""
