"""The store: what is published, and what is to be told to whom. The only user of SQLAlchemy."""
