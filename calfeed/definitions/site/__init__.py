"""Read `site.yaml` and the files beside it."""
