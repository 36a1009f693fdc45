"""People who follow dates by mail."""
