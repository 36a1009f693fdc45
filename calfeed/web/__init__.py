"""The web server: frontends look up stored feeds, and the backend renders pages with Flask."""
