"""What a definition says of an event that takes place more than once."""
