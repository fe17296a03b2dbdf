"""What happened to the keys of an issuer?"""

from typing import ClassVar

from launchworthy.audit.events.event import Event, Text, Words


class KeysChanged(Event):
    """A key set with other keys, or at another address, than before."""

    type: ClassVar[str] = "keys.changed"

    issuer: Text
    added: Words = ()
    removed: Words = ()
    detail: Text | None = None


class KeysRefreshFailed(Event):
    """The key set could not be fetched or used; the last good one stays for its time."""

    type: ClassVar[str] = "keys.refresh_failed"

    issuer: Text
    detail: Text | None = None
