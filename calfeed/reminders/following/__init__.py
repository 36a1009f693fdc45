"""People who follow dates by mail: their choices, messages to them, limits of sign-ups."""
