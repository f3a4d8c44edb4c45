"""The MCP server: agents whose thinking is done outside join the roster through it (docs/mcp.md)."""
