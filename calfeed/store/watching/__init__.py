"""What is known of a running installation: its processes, and numbers to watch."""
