"""Traces of a run for OpenTelemetry, told from its journal: no agent knows of it."""
