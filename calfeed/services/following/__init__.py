"""Following dates by mail: sign up, confirm, change, leave."""
