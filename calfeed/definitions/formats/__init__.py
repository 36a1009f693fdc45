"""How single values are written: dates, times, zones, names."""
