"""Who looked into the audit? Each look-up of a digest, by whoever holds the key."""

from typing import ClassVar

from launchworthy.audit.events.event import Event, Label, Text


class AuditHashUsed(Event):
    """Somebody asked which digest a value has, in a stream of its own; the value is not recorded.

    Attributes:
        who: the account of the operating system.
        host: on which machine.
        kid: of which key.
        digest: what was answered, as it stands in other records.
        domain: `argument`, `result` or `token`.
        target: the tool, prompt or resource; the issuer of a token.
        argument: its name, for an argument.
        why: what they say it is for.
    """

    type: ClassVar[str] = "audit.hash_used"

    who: Text
    host: Text | None = None
    kid: Label
    digest: Label
    domain: Label
    target: Text
    argument: Text | None = None
    why: Text
