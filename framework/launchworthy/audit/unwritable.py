"""What does a caller learn when a record cannot be written? That nothing may happen: one exception."""


class AuditUnwritable(Exception):
    """The record was not written, or is not on the disk; what it would have allowed must not happen.

    The file holds either the whole record or nothing of it. `str()` says why, for the operator.
    """
