"""What a command's exit code says; 0 is success, 2 is ConfigError's and Typer's, 4 the launcher's."""

FAILED = 1
"""It was tried and did not work; the error says what to do."""
NOTHING_RUNS = 3
"""Nothing runs here."""
INTERRUPTED = 130
"""Ctrl-C: 128 + SIGINT."""
