"""Delivery: messages leave here, under a guard, and come back as attempts."""
