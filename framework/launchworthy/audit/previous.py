"""What lay in the directory before? The newest stream there, with the size and the root that it has now.

Naming it in the first record of a new stream makes that record, once it is sealed, a witness: whatever is
cut off or changed in the older file from then on disagrees with it.
"""

import os
import re

from launchworthy.audit.disk import Directory
from launchworthy.audit.events import PreviousStream
from launchworthy.audit.merkle import MerkleTree
from launchworthy.audit.stream_key import root_text

FILE_NAME = re.compile(r"(?P<opened>\d{8}T\d{12}Z)-(?P<stream>[0-9a-f]{32})\.jsonl")


def previous_stream(directory: Directory) -> PreviousStream | None:
    """Link to the newest stream of a directory, or None where there is none.

    A torn last line, as a crash leaves it, is not counted. The file may still be growing: another process
    may own it.

    Raises:
        OSError: the newest one cannot be read.
    """
    newest = max(
        filter(None, map(FILE_NAME.fullmatch, directory.names())), key=lambda name: name[0], default=None
    )
    if newest is None:
        return None
    tree = MerkleTree()
    with os.fdopen(directory.open(newest[0]), "rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                tree.append(line[:-1])
    return PreviousStream(
        stream=newest["stream"], opened=newest["opened"], size=tree.size, root=root_text(tree.root())
    )
