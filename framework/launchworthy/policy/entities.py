"""Which entities does Cedar see? The target, and the caller where a rule asks who it is."""

import json
from collections.abc import Iterable

import cedarpy

from launchworthy.manifest import TargetManifest
from launchworthy.policy.cedar_schema import ENTITY_TYPES, action_id
from launchworthy.policy.slice import Slice
from launchworthy.vocabulary import Principal, Reason, Refused

KEPT = 1024
_TYPES = cedarpy.Schema.from_str(ENTITY_TYPES)
Entity = dict[str, object]


def principal_id(principal: Principal) -> str:
    """How Cedar calls a caller: `<issuer>|<subject>`; an issuer is a URL and holds no bar."""
    return f"{principal.issuer}|{principal.subject}"


class EntityStore:
    """Handles, parsed once for each target and caller, and not too many of them."""

    def __init__(self, targets: Iterable[TargetManifest]) -> None:
        """Describe every target."""
        self._targets = {action_id(target.key): _target(target) for target in targets}
        self._handles: dict[tuple[str, ...], cedarpy.Entities] = {}

    def of(self, piece: Slice, principal: Principal) -> cedarpy.Entities:
        """The entities for a decision about this target and, where it matters, this caller.

        Raises:
            Refused: `policy.entity_missing`: a rule asks who calls, and Cedar could not be told. Without the
                entity it would skip a `forbid` that begins with `principal has`, and allow.
        """
        key = (piece.uid, *_caller(principal)) if piece.reads.principal else (piece.uid,)
        handle = self._handles.get(key)
        if handle is None:
            handle = self._parse(piece, principal)
            if len(self._handles) >= KEPT:
                self._handles.clear()
            self._handles[key] = handle
        return handle

    def _parse(self, piece: Slice, principal: Principal) -> cedarpy.Entities:
        entities = list(self._targets.values()) if piece.reads.other_targets else [self._targets[piece.uid]]
        if piece.reads.principal:
            entities.append(_principal(principal))
        try:
            handle = cedarpy.Entities.from_json_str(json.dumps(entities), _TYPES)
        except ValueError as error:
            raise Refused(
                Reason.POLICY_ENTITY_MISSING, "a rule asks who calls, and the caller cannot be described"
            ) from error
        if len(handle) != len(entities):
            raise Refused(
                Reason.POLICY_ENTITY_MISSING, "a rule asks who calls, and the caller was not described"
            )
        return handle


def _caller(principal: Principal) -> tuple[str, str, str]:
    return (principal.issuer, principal.subject, principal.kind.value)


def _principal(principal: Principal) -> Entity:
    issuer, subject, kind = _caller(principal)
    return {
        "uid": {"type": "Principal", "id": principal_id(principal)},
        "attrs": {"issuer": issuer, "subject": subject, "kind": kind},
        "parents": [],
    }


def _target(target: TargetManifest) -> Entity:
    return {
        "uid": {"type": "Target", "id": action_id(target.key)},
        "attrs": {"kind": target.kind.value, "effect": target.effect.value},
        "parents": [],
    }
