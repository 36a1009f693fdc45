"""The processes of the web server: frontends, which serve stored responses, and one backend."""
