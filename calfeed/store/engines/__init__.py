"""The engines: database URLs, and connections to SQLite and PostgreSQL."""
