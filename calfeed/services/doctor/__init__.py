"""The doctor: look at everything that can be wrong with an installation, and say what to do."""
