"""How does the simulated issuer refuse? RFC 6749 §5.2, and the codes that other specifications add."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

NO_STORE: Mapping[str, str] = {"Cache-Control": "no-store"}


class OAuthError(Exception):
    """A request that is refused, with the code that a client can act on."""

    def __init__(self, code: str, description: str, *, status: int = 400) -> None:
        """Hold what goes on the wire."""
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description
        self.status = status


async def answer_error(_: Request, error: Exception) -> Response:
    """The JSON of a refusal; Starlette's exception handler."""
    if not isinstance(error, OAuthError):
        raise error
    body = {"error": error.code, "error_description": error.description}
    return JSONResponse(body, status_code=error.status, headers=dict(NO_STORE))


def read_parameters(text: str) -> dict[str, str]:
    """The parameters of a query or form; one that stands twice is an error (RFC 6749 §3.1).

    Raises:
        OAuthError: `invalid_target` for several resources, else `invalid_request`.
    """
    pairs = parse_qsl(text, keep_blank_values=True)
    parameters = dict(pairs)
    if sum(name == "resource" for name, _ in pairs) > 1:
        raise OAuthError("invalid_target", "a token is for one resource")
    if len(parameters) != len(pairs):
        raise OAuthError("invalid_request", "a parameter stands twice")
    return parameters
