"""The reader of a page: language, time zone, date formats."""
