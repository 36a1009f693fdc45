"""Channels: chats, mail and other services, through Apprise."""
