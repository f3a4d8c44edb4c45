"""Files for people: none. Code: what an agent of the roster is whose thinking is done outside (docs/mcp.md)."""
