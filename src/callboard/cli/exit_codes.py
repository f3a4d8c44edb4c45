"""What a command's exit code says; 0 is success."""

FAILED = 1
"""It was tried and did not work; the error says what to do."""
USAGE = 2
"""A command line or a configuration that cannot be read; nothing was tried."""
NOTHING_RUNS = 3
"""Nothing runs here."""
PEOPLE = 4
"""Only people can move what is left."""
INTERRUPTED = 130
"""Ctrl-C: 128 + SIGINT."""
