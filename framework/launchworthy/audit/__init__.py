"""What happened, provably? Events, the stream that keeps them, redaction and verification.

What does I/O is imported by its module: `launchworthy.audit.stream` (`AuditStream`), `.verification`
(`verify_paths`), `.story` and `.oplog`. The names below are loaded on first use (PEP 562): the models of
fifty records and a library of certificates take longer to load than `audit show` takes to begin.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from launchworthy.audit.binding import BindingError, BindingProof
    from launchworthy.audit.canonical import CanonicalError, parse_canonical
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
    "parse_canonical",
    "sanitise",
    "sanitise_name",
]

_HOMES = {
    "EVENT_TYPES": "events",
    "ArgumentRedactor": "redaction",
    "AuditUnwritable": "unwritable",
    "BindingError": "binding",
    "BindingProof": "binding",
    "CanonicalError": "canonical",
    "Event": "events",
    "Recorder": "recorder",
    "StrangersBudget": "strangers",
    "parse_canonical": "canonical",
    "sanitise": "sanitiser",
    "sanitise_name": "sanitiser",
}


def __getattr__(name: str) -> Any:
    """Load a public name from where it lives."""
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module `launchworthy.audit` has no attribute `{name}`") from None
    return getattr(import_module(f"launchworthy.audit.{home}"), name)
