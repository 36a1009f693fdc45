"""The console: what will happen and what happened, for editors and operators who are signed in."""
