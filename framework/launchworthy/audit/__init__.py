"""What happened, provably? Events, the stream that keeps them, redaction and verification.

What does I/O is imported by its module: `launchworthy.audit.stream` (`AuditStream`), `.verification`
(`verify_paths`), `.story` and `.oplog`.
"""

from launchworthy.audit.binding import BindingError, BindingProof
from launchworthy.audit.canonical import CanonicalError, canonical, parse_canonical
from launchworthy.audit.events import EVENT_TYPES, Event
from launchworthy.audit.recorder import Recorder
from launchworthy.audit.redaction import ArgumentRedactor
from launchworthy.audit.sanitiser import sanitise, sanitise_name
from launchworthy.audit.strangers import StrangersBudget
from launchworthy.audit.unwritable import AuditUnwritable

__all__ = [
    "EVENT_TYPES",
    "ArgumentRedactor",
    "AuditUnwritable",
    "BindingError",
    "BindingProof",
    "CanonicalError",
    "Event",
    "Recorder",
    "StrangersBudget",
    "canonical",
    "parse_canonical",
    "sanitise",
    "sanitise_name",
]
