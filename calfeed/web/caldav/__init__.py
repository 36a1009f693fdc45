"""The read-only CalDAV server at /dav/ (RFC 4791, RFC 6578), based on the snapshot."""
