"""Import recurring events (RFC 5545, 3.8.5)."""
