"""The commands, run in this process on real databases."""
