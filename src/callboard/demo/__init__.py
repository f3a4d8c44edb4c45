"""A small HTTP service, a roster and direction files for it, and recorded transcripts that the roster plays."""
