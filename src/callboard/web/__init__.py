"""The HTTP API and the dashboard: `callboard serve`. Nothing of it is imported before somebody serves."""
