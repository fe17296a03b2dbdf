"""What does the running server do when things go wrong? One file a fault; importing this registers all."""

from launchworthy.promotion.rehearsals import (
    access,
    approvals,
    audit,
    credentials,
    discovery,
    doors,
    ends,
    identity,
    keys,
    limits,
    mutual_tls,
    outages,
    policy,
    references,
    starting,
    stopping,
)

__all__ = [
    "access",
    "approvals",
    "audit",
    "credentials",
    "discovery",
    "doors",
    "ends",
    "identity",
    "keys",
    "limits",
    "mutual_tls",
    "outages",
    "policy",
    "references",
    "starting",
    "stopping",
]
