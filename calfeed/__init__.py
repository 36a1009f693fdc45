"""Key dates kept as files, published as iCalendar feeds and signed webhook reminders."""

__version__ = "0.1.0"
