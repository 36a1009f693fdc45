"""The keys of definition files and the types of their values."""
