"""The pages on which people sign up to follow dates by mail, and their own pages."""
