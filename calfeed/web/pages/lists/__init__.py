"""Lists of dates: agenda, months, years."""
