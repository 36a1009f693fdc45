"""Delivery: sends messages under the address guard, and records the attempts."""
