"""Messages to one receiver: tests, and what the receiver of a polled endpoint fetches."""
