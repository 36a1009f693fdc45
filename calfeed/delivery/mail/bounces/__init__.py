"""Bounces: reads the mailbox, recognises bounces and counts them."""
