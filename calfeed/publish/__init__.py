"""Publish: compare definitions with the published state, plan, apply in one transaction."""
