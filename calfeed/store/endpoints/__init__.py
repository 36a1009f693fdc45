"""Where messages are sent: endpoints and channels."""
