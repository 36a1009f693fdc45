"""Mails to people who follow dates, through real SMTP servers on loopback."""
