"""The engine: claims deliveries, sends them, records the attempts."""
