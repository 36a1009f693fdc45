"""Publish: compare definitions with what is published, plan, apply in one transaction."""
