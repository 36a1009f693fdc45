"""The console: reminders, deliveries and endpoints, for editors and operators who are signed in."""
