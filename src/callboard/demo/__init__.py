"""A small HTTP service, a roster and direction files for it, and a recording of its models."""
