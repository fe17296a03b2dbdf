"""What may others ask of the audit while they work? To write one record."""

from typing import Protocol

from launchworthy.audit.events import Record


class Recorder(Protocol):
    """What happened, provably?"""

    def record(self, event: Record, *, subject: str | None = None, critical: bool = False) -> None:
        """Write a record.

        Raises:
            AuditUnwritable: it is not in the file.
        """

    async def record_durable(
        self, event: Record, *, subject: str | None = None, critical: bool = False
    ) -> None:
        """Write a record and wait for the disk.

        Raises:
            AuditUnwritable: it is not on the disk.
        """
