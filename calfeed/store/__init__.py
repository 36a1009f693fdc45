"""The database: the published state and the outbox. Only this package uses SQLAlchemy."""
