"""The parts of `site.yaml` on the web: name, logo, colours, and the pages about the site."""
