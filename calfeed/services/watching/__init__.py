"""Watching an installation: heartbeats, status, metrics."""
