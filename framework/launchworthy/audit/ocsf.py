"""How does a record look to a SIEM? OCSF 1.8: an exporter, never the stored form.

| records | class |
|---|---|
| calls of tools, resources, prompts; served requests; limits, approvals, break-glass | 6003 API Activity |
| refusals at the door without a good token | 3002 Authentication |
| leases of credentials, the workload's own identity | 3004 Entity Management |
| the life of server, stream, settings, control list, promotion record | 6002 Application Lifecycle |

`type_uid` is `class_uid * 100 + activity_id`, and `time` is in milliseconds. What OCSF has no field for
stands in `unmapped`, so nothing of a record is lost. `metadata.uid` is the stream and the sequence number:
whoever receives an event twice keeps one. The chain itself is not exported: 1.8 has no place for it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from launchworthy.audit.moment import parse_rfc3339
from launchworthy.audit.reading import Record

OCSF_VERSION: Final = "1.8.0"
_API, _AUTHENTICATION, _ENTITY, _LIFECYCLE = 6003, 3002, 3004, 6002
_CATEGORY_NAMES = {3: "Identity & Access Management", 6: "Application Activity"}
_CLASS_NAMES = {
    _API: "API Activity",
    _AUTHENTICATION: "Authentication",
    _ENTITY: "Entity Management",
    _LIFECYCLE: "Application Lifecycle",
}
_CREATE, _READ, _UPDATE, _DELETE, _OTHER = 1, 2, 3, 4, 99
_LOGON = 1
_START, _STOP, _ENABLE, _DISABLE, _UPDATED = 3, 4, 6, 7, 8
_UNKNOWN, _SUCCESS, _FAILURE = 0, 1, 2
_INFORMATIONAL, _LOW, _MEDIUM, _HIGH = 1, 2, 3, 4
_ALLOWED, _DENIED = 1, 2

_CLASSES: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "resource.attempt": (_API, _READ),
        "resource.denied": (_API, _READ),
        "resource.outcome": (_API, _READ),
        "prompt.attempt": (_API, _READ),
        "prompt.denied": (_API, _READ),
        "prompt.outcome": (_API, _READ),
        "request.served": (_API, _READ),
        "subscription.opened": (_API, _READ),
        "subscription.closed": (_API, _READ),
        "authn.denied": (_AUTHENTICATION, _LOGON),
        "identity.peer_rejected": (_AUTHENTICATION, _LOGON),
        "identity.acquired": (_ENTITY, _CREATE),
        "identity.rotated": (_ENTITY, _UPDATE),
        "identity.bundle_changed": (_ENTITY, _UPDATE),
        "identity.refresh_failed": (_ENTITY, _UPDATE),
        "identity.expired": (_ENTITY, _DELETE),
        "identity.revoked": (_ENTITY, _DELETE),
        "keys.changed": (_ENTITY, _UPDATE),
        "keys.refresh_failed": (_ENTITY, _UPDATE),
        "credential.issued": (_ENTITY, _CREATE),
        "credential.revoked": (_ENTITY, _DELETE),
        "credential.revoke_failed": (_ENTITY, _DELETE),
        "credential.abandoned": (_ENTITY, _DELETE),
        "audit.hash_used": (_API, _READ),
        "server.starting": (_LIFECYCLE, _START),
        "server.ready": (_LIFECYCLE, _START),
        "server.refused": (_LIFECYCLE, _START),
        "stream.open": (_LIFECYCLE, _START),
        "stream.close": (_LIFECYCLE, _STOP),
        "stream.deleted": (_LIFECYCLE, _OTHER),
        "stream.degraded": (_LIFECYCLE, _DISABLE),
        "stream.recovered": (_LIFECYCLE, _ENABLE),
        "server.stopping": (_LIFECYCLE, _STOP),
        "config.loaded": (_LIFECYCLE, _UPDATED),
        "trust.loaded": (_LIFECYCLE, _UPDATED),
        "control.changed": (_LIFECYCLE, _UPDATED),
    }
)
_FAMILIES: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "tool": (_API, _OTHER),
        "approval": (_API, _OTHER),
        "ratelimit": (_API, _OTHER),
        "breakglass": (_API, _OTHER),
        "protocol": (_API, _OTHER),
        "promotion": (_LIFECYCLE, _OTHER),
        "stream": (_LIFECYCLE, _OTHER),
    }
)
_FAILED = frozenset(
    {
        "identity.peer_rejected",
        "identity.refresh_failed",
        "identity.expired",
        "identity.revoked",
        "keys.refresh_failed",
        "credential.revoke_failed",
        "credential.abandoned",
        "approval.declined",
        "approval.replayed",
        "approval.turned_away",
        "server.refused",
        "stream.degraded",
        "promotion.revoked",
    }
)
_SEVERE: Final[Mapping[str, int]] = MappingProxyType(
    {
        "breakglass.used": _HIGH,
        "approval.replayed": _HIGH,
        "identity.revoked": _HIGH,
        "promotion.revoked": _HIGH,
        "stream.degraded": _HIGH,
        "credential.abandoned": _MEDIUM,
        "credential.revoke_failed": _MEDIUM,
        "identity.expired": _MEDIUM,
        "audit.hash_used": _MEDIUM,
        "control.changed": _MEDIUM,
        "server.refused": _MEDIUM,
        "stream.deleted": _MEDIUM,
    }
)


def ocsf_event(record: Record) -> dict[str, Any]:
    """The event for a record, of the class that its type belongs to."""
    family = record.type.partition(".")[0]
    class_uid, activity = _CLASSES.get(record.type, _FAMILIES.get(family, (_LIFECYCLE, _OTHER)))
    data = record.data
    event: dict[str, Any] = {
        "activity_id": activity,
        "category_uid": class_uid // 1000,
        "category_name": _CATEGORY_NAMES[class_uid // 1000],
        "class_uid": class_uid,
        "class_name": _CLASS_NAMES[class_uid],
        "type_uid": class_uid * 100 + activity,
        "time": round(parse_rfc3339(record.time).timestamp() * 1000),
        "severity_id": _severity(record),
        "status_id": _status(record),
        "message": record.type,
        "metadata": {
            "version": OCSF_VERSION,
            "uid": f"{record.stream}/{record.seq}",
            "sequence": record.seq,
            "log_name": record.stream,
            "event_code": record.type,
            "product": {"name": "launchworthy", "vendor_name": "launchworthy"},
            **({"correlation_uid": data["call"]} if "call" in data else {}),
        },
        **_of_class(class_uid, record),
        "unmapped": {"subject": record.subject, "source": record.source, "data": dict(data)},
    }
    if activity == _OTHER:
        event["activity_name"] = record.type
    return event


def _of_class(class_uid: int, record: Record) -> dict[str, Any]:
    """What the class demands besides the base event."""
    data = record.data
    match class_uid:
        case 6003:
            return {
                "api": _api(record),
                "actor": {"user": _user(data), **_app(data)},
                "src_endpoint": _source(data),
                **_decision(record),
            }
        case 3002:
            return {
                "user": _user(data),
                "src_endpoint": _source(data),
                "auth_protocol_id": 99,
                "auth_protocol": "OAuth 2.0 bearer token",
                "status_detail": data.get("reason") or data.get("cause") or "",
            }
        case 3004:
            return {"entity": _entity(record)}
        case _:
            return {"app": {"name": data.get("name") or record.source, "vendor_name": "launchworthy"}}


def _api(record: Record) -> dict[str, Any]:
    data = record.data
    api: dict[str, Any] = {"operation": data.get("target") or data.get("method") or record.type}
    if "method" in data:
        api["service"] = {"name": data["method"]}
    if "call" in data:
        api["request"] = {"uid": data["call"]}
    if "status" in data or "outcome" in data:
        api["response"] = {"code": data.get("status", 200), "message": str(data.get("outcome", ""))}
    return api


def _user(data: Mapping[str, Any]) -> dict[str, Any]:
    """Who; a stranger is OCSF's unknown type."""
    subject = data.get("subject") or data.get("who")
    if not subject:
        return {"name": "unknown", "type_id": 0}
    system = data.get("kind") == "machine"
    return {"uid": subject, "name": subject, "type_id": 3 if system else 1, "domain": data.get("issuer", "")}


def _app(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"app_name": data["client"]} if data.get("client") else {}


def _source(data: Mapping[str, Any]) -> dict[str, Any]:
    """Where from: networks only, which is all that the audit keeps."""
    sources = data.get("sources")
    return {"name": " ".join(map(str, sources)) if isinstance(sources, list) and sources else "unknown"}


def _entity(record: Record) -> dict[str, Any]:
    data = record.data
    name = data.get("lease") or data.get("identity") or data.get("issuer") or record.source
    return {"name": str(name), "type": record.type.partition(".")[0]}


def _decision(record: Record) -> dict[str, Any]:
    """What the security control did: OCSF's `action_id`."""
    if _is_denial(record.type):
        return {"action_id": _DENIED, "disposition_id": 2}
    return {"action_id": _ALLOWED, "disposition_id": 1}


def _is_denial(kind: str) -> bool:
    return kind.endswith((".denied", ".rejected", ".declined", ".replayed", ".input_required"))


def _status(record: Record) -> int:
    if record.type.endswith(".attempt"):
        return _UNKNOWN
    if _is_denial(record.type) or record.type in _FAILED:
        return _FAILURE
    return _SUCCESS if record.data.get("outcome", "ok") == "ok" else _FAILURE


def _severity(record: Record) -> int:
    if record.type in _SEVERE:
        return _SEVERE[record.type]
    return _LOW if _is_denial(record.type) else _INFORMATIONAL
