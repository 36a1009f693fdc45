"""The pages to sign up for mails about dates, and people's own pages."""
