"""Starts and watches the roster, and joins one that runs or is stopped."""
