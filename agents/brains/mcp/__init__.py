"""Tools of MCP servers, for brains that are models (docs/mcp-tools.md)."""
