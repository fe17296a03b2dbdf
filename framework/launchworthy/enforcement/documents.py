"""Where does a client learn who issues tokens for this server? Two paths, one document (RFC 9728)."""

from pydantic_core import to_json

from launchworthy.enforcement.answers import Answer
from launchworthy.tokens.metadata import protected_resource_metadata
from launchworthy.vocabulary import CallId


class MetadataDocument:
    """The document, written once."""

    __slots__ = ("_body",)

    def __init__(
        self, resource: str, *, issuers: tuple[str, ...], scopes: tuple[str, ...], name: str
    ) -> None:
        """Write it.

        Raises:
            ValueError: no issuer, or no scope.
        """
        self._body = to_json(protected_resource_metadata(resource, issuers, scopes, name))

    def answer(self, call: CallId) -> Answer:
        """The document; a change of issuer reaches clients within five minutes."""
        headers = (
            (b"content-type", b"application/json"),
            (b"cache-control", b"public, max-age=300"),
            (b"access-control-allow-origin", b"*"),  # it is public, and says nothing about who asks
            (b"launchworthy-call", call.encode("ascii")),
        )
        return Answer(status=200, headers=headers, body=self._body)
