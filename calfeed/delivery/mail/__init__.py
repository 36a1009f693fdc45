"""Mail: writes mails, sends them through the operator's SMTP server, and processes bounces."""
