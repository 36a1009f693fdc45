"""The API: what programs read, and what they do with a token."""
