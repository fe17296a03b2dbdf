"""What can be read of a project without running it? One file a family; importing this registers all."""

from launchworthy.promotion.checks import (
    build,
    flows,
    grants,
    hardening,
    identity,
    keys,
    known,
    ownership,
    pass_through,
    provenance,
    references,
    secrets,
    tokens,
    tools,
    transport,
    trust,
)

__all__ = [
    "build",
    "flows",
    "grants",
    "hardening",
    "identity",
    "keys",
    "known",
    "ownership",
    "pass_through",
    "provenance",
    "references",
    "secrets",
    "tokens",
    "tools",
    "transport",
    "trust",
]
