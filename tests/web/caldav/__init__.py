"""The CalDAV server, through the WSGI application."""
