"""Access control: tokens, sessions, sign-in links and idempotency keys."""
