"""What pages know of their reader: language, time zone, how dates are written."""
