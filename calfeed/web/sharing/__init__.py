"""How pages are shown where links to them are shared, and how search engines find them."""
