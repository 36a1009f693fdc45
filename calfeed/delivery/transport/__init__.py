"""HTTP through libcurl: sending, fetching, the SSRF guard, the egress proxy."""
