"""Who may read and do what: tokens, sessions, sign-in links."""
