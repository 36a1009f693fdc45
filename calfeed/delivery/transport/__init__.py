"""How requests leave: libcurl, the guard against private networks, the proxy."""
