"""Mails to people: what they say, and their form as text, HTML and calendar entry."""
