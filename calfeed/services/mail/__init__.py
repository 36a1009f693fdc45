"""What operators do about mails: test how they are sent, take what comes back."""
