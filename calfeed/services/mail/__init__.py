"""Mail for operators: send a test mail, and process bounces."""
