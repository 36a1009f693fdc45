"""The read-only CalDAV door at /dav/ (RFC 4791, RFC 6578), over the snapshot."""
