"""A real MCP server, with the SDK's own: `python mcp_real_server.py stdio | http PORT`."""

from __future__ import annotations

import os
import sys

from mcp.server import MCPServer

server = MCPServer("Weather")


@server.tool()
def forecast(city: str, days: int = 1) -> str:
    """Says what the weather will be."""
    return f"{days} days of rain in {city}; key {os.environ.get('WEATHER_KEY', 'none')}"


@server.tool()
def storm(city: str) -> str:
    """Always fails."""
    raise ValueError(f"no storm in {city}")


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[2]))
