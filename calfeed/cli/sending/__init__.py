"""Commands about endpoints, reminders and deliveries."""
