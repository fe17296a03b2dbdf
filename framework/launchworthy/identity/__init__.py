"""Who is this workload, and is that still fresh?

What follows is pure. A provider is imported by whoever opens one:
`launchworthy.identity.spiffe.SpiffeIdentity`, `launchworthy.identity.token_file.TokenFileIdentity`.
The doctor is `launchworthy.identity.doctor`.

    IdentityUnavailable     there is no identity to work with now: the only failure that users of one see
"""

from launchworthy.identity.phase import Phase
from launchworthy.identity.status import ChangeKind, IdentityChange, IdentityStatus, IdentityUnavailable
from launchworthy.identity.workload import Proof, WorkloadIdentity, X509Identity

__all__ = [
    "ChangeKind",
    "IdentityChange",
    "IdentityStatus",
    "IdentityUnavailable",
    "Phase",
    "Proof",
    "WorkloadIdentity",
    "X509Identity",
]
