"""How does borrowing a credential fail? What a tool sees of it, and what a broker says.

CredentialUnavailable(ToolError)   the caller reads that it cannot be had now
CredentialNotAllowed               the manifest does not name it: a mistake of the code
CredentialEnded                    used after the call, or outside of its `with`: a mistake of the code
BrokerError                        what a broker raises; its detail is for the operator
    IssuerRefused                  the issuer said no, and what it called that
    RevocationUnsupported          it cannot be taken back at all
"""

from launchworthy.vocabulary import ToolError


class CredentialUnavailable(ToolError):
    """A credential that this call needs is not to be had now; nothing was sent upstream."""

    def __init__(self, name: str) -> None:
        """Name the table of the settings, and nothing of the cause, which is in the audit."""
        super().__init__(f"`{name}` cannot be used now")
        self.name = name


class CredentialNotAllowed(Exception):
    """The manifest of what runs does not name this credential."""

    def __init__(self, name: str, target: str) -> None:
        """Name both."""
        super().__init__(
            f"the manifest of `{target}` does not name the credential `{name}`: "
            f"credentials.{name} = {{ scopes = […], ttl = … }}"
        )


class CredentialEnded(RuntimeError):
    """The call, or the `with` around the credential, has ended, and the credential with it."""

    def __init__(self, name: str) -> None:
        """Name the table of the settings."""
        super().__init__(f"the credential `{name}` has ended; nothing outlives its call")


class BrokerError(Exception):
    """A broker could not do what it was asked; the message is for the operator and holds no secret."""


class IssuerRefused(BrokerError):
    """The issuer refused a token.

    Attributes:
        error: its word for why (RFC 6749 §5.2), as it came; None if it had none.
    """

    def __init__(self, message: str, error: str | None) -> None:
        """Hold both."""
        super().__init__(message)
        self.error = error


class RevocationUnsupported(BrokerError):
    """Whoever issued it cannot take it back: it runs out by itself."""
