"""Endpoints and channels, their states and their registrations."""
