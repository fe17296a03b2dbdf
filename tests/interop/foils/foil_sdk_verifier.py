"""A foil: the official SDK set up as its page on authorization shows, with the resource checked too.

The SDK leaves the verifier to the team. This one is the code that PyJWT's page on JWKS shows, with audience
and issuer given; `python foil_sdk_verifier.py PORT JWKS ISSUER RESOURCE`.
"""

import sys
from typing import Annotated

import jwt
import uvicorn
from mcp.server import MCPServer
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from pydantic import Field

Number = Annotated[int, Field(ge=0, le=10**6)]
port, jwks, issuer, resource = sys.argv[1:]


class Verifier(TokenVerifier):
    def __init__(self) -> None:
        self.keys = jwt.PyJWKClient(jwks)

    async def verify_token(self, token: str) -> AccessToken | None:
        try:
            key = self.keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(token, key, algorithms=["ES256"], audience=resource, issuer=issuer)
        except jwt.PyJWTError:
            return None
        return AccessToken(
            token=token,
            client_id=str(claims.get("client_id", "")),
            scopes=str(claims.get("scope", "")).split(),
            expires_at=claims.get("exp"),
            resource=resource,
            subject=claims.get("sub"),
        )


settings = AuthSettings(
    issuer_url=issuer,
    resource_server_url=resource,
    required_scopes=["foil:use"],
    validate_token_resource=True,
)
server = MCPServer("foil", token_verifier=Verifier(), auth=settings)


@server.tool()
async def add(a: Number, b: Number, note: str = "") -> int:
    """Add two numbers."""
    return a + b + len(note) * 0


if __name__ == "__main__":
    uvicorn.run(server.streamable_http_app(), port=int(port), log_level="warning", access_log=False)
