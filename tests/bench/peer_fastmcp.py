"""The peer: fastmcp with its JWT verifier alone; `python peer_fastmcp.py PORT JWKS ISSUER AUDIENCE`."""

import sys
from typing import Annotated

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import JWTVerifier
from pydantic import Field

Number = Annotated[int, Field(ge=0, le=10**6)]
port, jwks, issuer, audience = sys.argv[1:]
server = FastMCP(
    "bench", auth=JWTVerifier(jwks_uri=jwks, issuer=issuer, audience=audience, algorithm="ES256")
)


@server.tool
async def add(a: Number, b: Number) -> int:
    """Add two numbers."""
    return a + b


if __name__ == "__main__":
    app = server.http_app(path="/mcp")
    uvicorn.run(app, port=int(port), log_level="warning", access_log=False)
