"""What happened to the workload's own identity?"""

from typing import ClassVar

from launchworthy.audit.events.event import Count, Event, Text


class IdentityEvent(Event):
    """What all of these say; not a record by itself."""

    type: ClassVar[str] = "identity"

    identity: Text | None = None
    detail: Text | None = None
    serial: Text | None = None
    not_after: Count | None = None


class IdentityAcquired(IdentityEvent):
    """The first identity of this process."""

    type: ClassVar[str] = "identity.acquired"


class IdentityRotated(IdentityEvent):
    """A newer document of the same identity."""

    type: ClassVar[str] = "identity.rotated"


class IdentityBundleChanged(IdentityEvent):
    """Other roots of trust than before."""

    type: ClassVar[str] = "identity.bundle_changed"


class IdentityRefreshFailed(IdentityEvent):
    """The source is silent or sent something unusable; the last good document stays until `not_after`."""

    type: ClassVar[str] = "identity.refresh_failed"


class IdentityExpired(IdentityEvent):
    """Every call is refused from here on."""

    type: ClassVar[str] = "identity.expired"


class IdentityRevoked(IdentityEvent):
    """The source has withdrawn it: every call is refused from here on."""

    type: ClassVar[str] = "identity.revoked"
