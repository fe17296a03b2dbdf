"""Which refusals need more for their answer than a reason?"""

from collections.abc import Mapping

from launchworthy.enforcement.request.resource_uri import MAX_URI
from launchworthy.vocabulary import Reason, Refused


class MethodNotAllowed(Refused):
    """Another HTTP method at a known path; `allow` is the one that is served there (RFC 9110 §15.5.6)."""

    def __init__(self, allow: str) -> None:
        """Name the method that is served."""
        super().__init__(Reason.HTTP_METHOD, f"only {allow} is served here")
        self.allow = allow


class HeaderSectionTooLarge(Refused):
    """Too many header fields, or too many bytes of them (RFC 6585 §5)."""

    def __init__(self, detail: str) -> None:
        """Say what was too much."""
        super().__init__(Reason.HTTP_SIZE, detail)


class UnknownResource(Refused):
    """A URI that nothing answers to, or nothing that this caller may know of.

    Attributes:
        uri: as in the body, so that a client with several reads under way knows which one this is; empty
            where it is too long to be anybody's.
    """

    def __init__(self, uri: str) -> None:
        """Hold what was asked for."""
        super().__init__(Reason.TOOL_UNKNOWN, "no such resource is declared")
        self.uri = uri if len(uri) <= MAX_URI else ""


class ClientCannotAsk(Refused):
    """Somebody must approve, and the client does not say that it can ask its user.

    Attributes:
        required: the capabilities that it would have to declare.
    """

    def __init__(self, required: Mapping[str, object]) -> None:
        """Hold what is missing."""
        super().__init__(Reason.TOOL_APPROVAL, "the client does not say that it can ask its user")
        self.required = required


class UnsupportedRevision(Refused):
    """A revision of the protocol that is not served here.

    Attributes:
        requested: what the client asked for, cut to 64 printable characters.
        supported: what is served.
    """

    def __init__(self, requested: str, supported: tuple[str, ...]) -> None:
        """Hold what was asked for and what there is."""
        shown = requested if requested.isascii() and requested.isprintable() else ""
        super().__init__(Reason.PROTOCOL_REVISION, f"revision `{shown[:64]}` is not served")
        self.requested = shown[:64]
        self.supported = supported
