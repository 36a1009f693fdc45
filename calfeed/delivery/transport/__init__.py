"""HTTP through libcurl: sending, fetching, the address guard, the egress proxy."""
