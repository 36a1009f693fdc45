"""Commands for operators: backups, keys, tokens."""
