"""Services: one function for each use case, shared by commands, API and console."""
