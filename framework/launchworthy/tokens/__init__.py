"""Who is calling? Bearer tokens, key sets, claims, challenges.

What is named here does no I/O. What opens sockets is imported by its own name:
`launchworthy.tokens.verifier`.
"""

from launchworthy.tokens.bearer import parse_authorization
from launchworthy.tokens.challenge import challenge
from launchworthy.tokens.claims import SignedClaims, UnverifiedClaims
from launchworthy.tokens.denial import DeniableName, DenyEntries, DenyKind, NobodyDenied, deniable_names
from launchworthy.tokens.issuer_policy import IntrospectionPolicy, IssuerPolicy
from launchworthy.tokens.key_events import IssuerStatus, KeyEvent, KeyEventKind
from launchworthy.tokens.metadata import metadata_paths, metadata_url, protected_resource_metadata
from launchworthy.tokens.named_exceptions import ExceptionRule, IssuerException
from launchworthy.tokens.strict_json import StrictJSONError, parse, parse_object

__all__ = [
    "DeniableName",
    "DenyEntries",
    "DenyKind",
    "ExceptionRule",
    "IntrospectionPolicy",
    "IssuerException",
    "IssuerPolicy",
    "IssuerStatus",
    "KeyEvent",
    "KeyEventKind",
    "NobodyDenied",
    "SignedClaims",
    "StrictJSONError",
    "UnverifiedClaims",
    "challenge",
    "deniable_names",
    "metadata_paths",
    "metadata_url",
    "parse",
    "parse_authorization",
    "parse_object",
    "protected_resource_metadata",
]
