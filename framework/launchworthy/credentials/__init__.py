"""Which short-lived credential does this call get, and who takes it back?

What is named here does no I/O. What opens sockets is imported by its own name:
`launchworthy.credentials.tellers`.
"""

from launchworthy.credentials.call import Call, CallLog
from launchworthy.credentials.errors import CredentialEnded, CredentialNotAllowed, CredentialUnavailable
from launchworthy.credentials.lease import CredentialBroker, CredentialRequest, Lease, Revocation
from launchworthy.credentials.sealed import SealedToken, let_go, seal

__all__ = [
    "Call",
    "CallLog",
    "CredentialBroker",
    "CredentialEnded",
    "CredentialNotAllowed",
    "CredentialRequest",
    "CredentialUnavailable",
    "Lease",
    "Revocation",
    "SealedToken",
    "let_go",
    "seal",
]
