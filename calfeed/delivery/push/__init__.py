"""Push: messages for browsers and CalDAV clients, encrypted for each of them."""
