"""The CalDAV door over the WSGI application."""
