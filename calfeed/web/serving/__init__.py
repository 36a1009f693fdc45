"""The processes of the web server: fronts, which look responses up, and the back."""
