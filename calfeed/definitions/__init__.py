"""Read and validate the definition files under `events/`."""
