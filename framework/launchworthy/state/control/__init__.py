"""What is stopped or denied now, and who says so?"""

from launchworthy.state.control.changes import Change, ChangeKind
from launchworthy.state.control.control_list import ControlList, InForce
from launchworthy.state.control.entries import (
    EVERYTHING,
    MAX_GRANT_SECONDS,
    Action,
    ControlFile,
    Entry,
    GrantTerms,
    parse_control,
)
from launchworthy.state.control.reading import FileSource, read_control_file
from launchworthy.state.control.sealed_list import SEAL_PURPOSE, KeptList, SealedList, StoreSource

__all__ = [
    "EVERYTHING",
    "MAX_GRANT_SECONDS",
    "SEAL_PURPOSE",
    "Action",
    "Change",
    "ChangeKind",
    "ControlFile",
    "ControlList",
    "Entry",
    "FileSource",
    "GrantTerms",
    "InForce",
    "KeptList",
    "SealedList",
    "StoreSource",
    "parse_control",
    "read_control_file",
]
