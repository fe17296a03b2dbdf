"""A foil: fastmcp as its pages show it at its best: its JWT verifier with issuer, audience and scopes, behind
its remote provider, and a scope for the tool; `python foil_fastmcp.py PORT JWKS ISSUER RESOURCE`.
"""

import sys
from typing import Annotated

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth import RemoteAuthProvider, require_scopes
from fastmcp.server.auth.providers.jwt import JWTVerifier
from pydantic import AnyHttpUrl, Field

Number = Annotated[int, Field(ge=0, le=10**6)]
port, jwks, issuer, resource = sys.argv[1:]
verifier = JWTVerifier(jwks_uri=jwks, issuer=issuer, audience=resource, algorithm="ES256")
auth = RemoteAuthProvider(
    token_verifier=verifier,
    authorization_servers=[AnyHttpUrl(issuer)],
    base_url=resource.removesuffix("/mcp"),
    scopes_supported=["foil:use"],
)
server = FastMCP("foil", auth=auth, strict_input_validation=True, mask_error_details=True)


@server.tool(auth=require_scopes("foil:use"))
async def add(a: Number, b: Number, note: str = "") -> int:
    """Add two numbers."""
    return a + b + len(note) * 0


if __name__ == "__main__":
    host = resource.split("/")[2]
    app = server.http_app(path="/mcp", host_origin_protection=True, allowed_hosts=[host], allowed_origins=[])
    uvicorn.run(app, port=int(port), log_level="warning", access_log=False)
