"""Catalogs that a site has of its own: gettext's .po files, in a folder beside its calendars."""
