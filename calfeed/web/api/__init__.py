"""The HTTP API: public data without a token, everything else by scope."""
