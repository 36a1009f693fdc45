"""Mail for operators: send a test mail, process bounces."""
