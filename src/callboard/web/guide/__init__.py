"""The routes of the Autopack guide: runs that are started from outside, their phases, and reports (docs/api.md)."""
