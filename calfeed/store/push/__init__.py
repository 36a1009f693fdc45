"""Push subscriptions of browsers and CalDAV clients."""
