"""Mails to people: their content, and its form as text, HTML and calendar entry."""
