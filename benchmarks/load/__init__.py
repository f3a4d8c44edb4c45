"""The HTTP API under load while a run works."""
