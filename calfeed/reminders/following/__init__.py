"""People who follow dates by mail: what they choose, messages to them, limits of sign-ups."""
