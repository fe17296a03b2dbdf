"""Why was it refused? The closed list of reasons, and the few words of them a caller may see."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, assert_never


class WireWord(StrEnum):
    """All that a caller learns of a refusal, in `error.data.reason`."""

    INVALID_REQUEST = "invalid_request"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - RFC 6750 §3.1's own word
    INSUFFICIENT_SCOPE = "insufficient_scope"
    DENIED = "denied"
    STOPPED = "stopped"
    UNKNOWN = "unknown"
    UNAVAILABLE = "unavailable"
    LIMITED = "limited"


class Reason(StrEnum):
    """`family.cause`: stable, in the audit and in `explain`, never on the wire."""

    HTTP_PATH = "http.path"
    HTTP_METHOD = "http.method"
    HTTP_HOST = "http.host"
    HTTP_ORIGIN = "http.origin"
    HTTP_SIZE = "http.size"
    HTTP_CONTENT_TYPE = "http.content_type"
    HTTP_ACCEPT = "http.accept"
    HTTP_DEADLINE = "http.deadline"
    CREDENTIAL_MISSING = "credential.missing"
    CREDENTIAL_DUPLICATE = "credential.duplicate"
    CREDENTIAL_QUERY = "credential.query"
    CREDENTIAL_SCHEME = "credential.scheme"
    TOKEN_MALFORMED = "token.malformed"  # noqa: S105 - a reason, not a secret
    TOKEN_HEADER = "token.header"  # noqa: S105
    TOKEN_ALGORITHM = "token.algorithm"  # noqa: S105
    TOKEN_KID = "token.kid"  # noqa: S105
    TOKEN_KEY = "token.key"  # noqa: S105
    TOKEN_SIGNATURE = "token.signature"  # noqa: S105
    TOKEN_ISSUER = "token.issuer"  # noqa: S105
    TOKEN_AUDIENCE = "token.audience"  # noqa: S105
    TOKEN_EXPIRED = "token.expired"  # noqa: S105
    TOKEN_NOT_YET = "token.not_yet"  # noqa: S105
    TOKEN_LIFETIME = "token.lifetime"  # noqa: S105
    TOKEN_TYPE = "token.type"  # noqa: S105
    TOKEN_CLAIMS = "token.claims"  # noqa: S105
    TOKEN_BOUND = "token.bound"  # noqa: S105
    TOKEN_INACTIVE = "token.inactive"  # noqa: S105
    TOKEN_DENIED = "token.denied"  # noqa: S105
    KEYS_UNAVAILABLE = "keys.unavailable"
    IDENTITY_MISSING = "identity.missing"
    IDENTITY_EXPIRED = "identity.expired"
    IDENTITY_REVOKED = "identity.revoked"
    IDENTITY_UNEXPECTED = "identity.unexpected"
    IDENTITY_SOURCE = "identity.source"
    PEER_TLS = "peer.tls"
    PEER_MISSING = "peer.missing"
    PEER_NAME = "peer.name"
    PEER_UNTRUSTED = "peer.untrusted"
    PEER_EXPIRED = "peer.expired"
    PEER_NOT_ALLOWED = "peer.not_allowed"
    PEER_FORWARDED = "peer.forwarded"
    PROTOCOL_JSON = "protocol.json"
    PROTOCOL_INVALID = "protocol.invalid"
    PROTOCOL_REVISION = "protocol.revision"
    PROTOCOL_MISMATCH = "protocol.mismatch"
    PROTOCOL_METHOD = "protocol.method"
    TOOL_UNKNOWN = "tool.unknown"
    TOOL_SCOPE = "tool.scope"
    TOOL_ARGUMENTS = "tool.arguments"
    TOOL_POLICY = "tool.policy"
    TOOL_ENVIRONMENT = "tool.environment"
    TOOL_STOPPED = "tool.stopped"
    TOOL_APPROVAL = "tool.approval"
    TOOL_DISPATCH_MISMATCH = "tool.dispatch_mismatch"
    TOOL_EGRESS = "tool.egress"
    POLICY_ENTITY_MISSING = "policy.entity_missing"
    LIMIT_RATE = "limit.rate"
    LIMIT_BUDGET = "limit.budget"
    LIMIT_CLAIM = "limit.claim"
    LIMIT_STORE = "limit.store"
    AUDIT_UNWRITABLE = "audit.unwritable"
    CONTROL_STALE = "control.stale"
    STARTUP_ENVIRONMENT = "startup.environment"
    STARTUP_WORLD = "startup.world"
    STARTUP_SETTINGS = "startup.settings"
    STARTUP_SECRET = "startup.secret"  # noqa: S105
    STARTUP_AUDIT = "startup.audit"
    STARTUP_RECORD = "startup.record"
    STARTUP_MANIFEST = "startup.manifest"
    STARTUP_POLICY = "startup.policy"
    STARTUP_IDENTITY = "startup.identity"
    STARTUP_KEYS = "startup.keys"
    STARTUP_ISSUER = "startup.issuer"
    STARTUP_LISTEN = "startup.listen"
    INTERNAL = "internal"

    @property
    def family(self) -> str:
        """What stands before the dot."""
        return _FAMILIES[self]


def wire_word(reason: Reason) -> WireWord:
    """The one public word for a reason; everything else about it stays in the audit."""
    return _WORDS[reason]


def _word_for(reason: Reason) -> WireWord:  # noqa: C901, PLR0911 - one arm a word
    match reason:
        case (
            Reason.HTTP_PATH
            | Reason.HTTP_METHOD
            | Reason.HTTP_HOST
            | Reason.HTTP_ORIGIN
            | Reason.HTTP_SIZE
            | Reason.HTTP_CONTENT_TYPE
            | Reason.HTTP_ACCEPT
            | Reason.HTTP_DEADLINE
            | Reason.CREDENTIAL_DUPLICATE
            | Reason.CREDENTIAL_QUERY
            | Reason.PROTOCOL_JSON
            | Reason.PROTOCOL_INVALID
            | Reason.PROTOCOL_REVISION
            | Reason.PROTOCOL_MISMATCH
            | Reason.PROTOCOL_METHOD
            | Reason.TOOL_ARGUMENTS
            | Reason.PEER_TLS
            | Reason.PEER_MISSING
            | Reason.PEER_NAME
            | Reason.PEER_UNTRUSTED
            | Reason.PEER_EXPIRED
            | Reason.PEER_NOT_ALLOWED
            | Reason.PEER_FORWARDED
        ):
            return WireWord.INVALID_REQUEST
        case (
            Reason.CREDENTIAL_MISSING
            | Reason.CREDENTIAL_SCHEME
            | Reason.TOKEN_MALFORMED
            | Reason.TOKEN_HEADER
            | Reason.TOKEN_ALGORITHM
            | Reason.TOKEN_KID
            | Reason.TOKEN_KEY
            | Reason.TOKEN_SIGNATURE
            | Reason.TOKEN_ISSUER
            | Reason.TOKEN_AUDIENCE
            | Reason.TOKEN_EXPIRED
            | Reason.TOKEN_NOT_YET
            | Reason.TOKEN_LIFETIME
            | Reason.TOKEN_TYPE
            | Reason.TOKEN_CLAIMS
            | Reason.TOKEN_BOUND
            | Reason.TOKEN_INACTIVE
            | Reason.TOKEN_DENIED
        ):
            return WireWord.INVALID_TOKEN
        case Reason.TOOL_SCOPE:
            return WireWord.INSUFFICIENT_SCOPE
        case (
            Reason.TOOL_POLICY
            | Reason.TOOL_ENVIRONMENT
            | Reason.TOOL_APPROVAL
            | Reason.TOOL_DISPATCH_MISMATCH
            | Reason.TOOL_EGRESS
            | Reason.POLICY_ENTITY_MISSING
        ):
            return WireWord.DENIED
        case Reason.TOOL_STOPPED:
            return WireWord.STOPPED
        case Reason.TOOL_UNKNOWN:
            return WireWord.UNKNOWN
        case Reason.LIMIT_RATE | Reason.LIMIT_BUDGET | Reason.LIMIT_CLAIM:
            return WireWord.LIMITED
        case (
            Reason.KEYS_UNAVAILABLE
            | Reason.IDENTITY_MISSING
            | Reason.IDENTITY_EXPIRED
            | Reason.IDENTITY_REVOKED
            | Reason.IDENTITY_UNEXPECTED
            | Reason.IDENTITY_SOURCE
            | Reason.LIMIT_STORE
            | Reason.AUDIT_UNWRITABLE
            | Reason.CONTROL_STALE
            | Reason.STARTUP_ENVIRONMENT
            | Reason.STARTUP_WORLD
            | Reason.STARTUP_SETTINGS
            | Reason.STARTUP_SECRET
            | Reason.STARTUP_AUDIT
            | Reason.STARTUP_RECORD
            | Reason.STARTUP_MANIFEST
            | Reason.STARTUP_POLICY
            | Reason.STARTUP_IDENTITY
            | Reason.STARTUP_KEYS
            | Reason.STARTUP_ISSUER
            | Reason.STARTUP_LISTEN
            | Reason.INTERNAL
        ):
            return WireWord.UNAVAILABLE
        case _:
            assert_never(reason)


_FAMILIES: Final[Mapping[Reason, str]] = {reason: reason.value.partition(".")[0] for reason in Reason}
_WORDS: Final[Mapping[Reason, WireWord]] = {reason: _word_for(reason) for reason in Reason}
"""Found once: the arms above are tried one after the other, and every refusal asks."""
