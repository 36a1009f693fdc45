"""Web: the web server. Frontends look feeds up, the backend renders pages with Flask."""
