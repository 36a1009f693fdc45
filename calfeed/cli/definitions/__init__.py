"""Commands that read, import and export definitions, and publish them."""
