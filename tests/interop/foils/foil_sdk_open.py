"""A foil: the official SDK with its defaults, no authentication; `python foil_sdk_open.py PORT`."""

import sys
from typing import Annotated

import uvicorn
from mcp.server import MCPServer
from pydantic import Field

Number = Annotated[int, Field(ge=0, le=10**6)]
server = MCPServer("foil")


@server.tool()
async def add(a: Number, b: Number, note: str = "") -> int:
    """Add two numbers."""
    return a + b + len(note) * 0


if __name__ == "__main__":
    uvicorn.run(server.streamable_http_app(), port=int(sys.argv[1]), log_level="warning", access_log=False)
