"""What does git call these bytes? The names of blobs, trees and commits, computed and not asked.

A name is the hash of a header and the content, so whoever computes names needs git only to hand out bytes.
SHA-1 and SHA-256 repositories differ in the hash alone; SHA-1 is git's choice, and everything that is judged
has SHA-256 digests of its own beside it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

_SHA1_HEX = 40
_DIRECTORY_MODE = b"40000"


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """One file of a commit.

    Attributes:
        path: relative, `/` between its parts, as bytes.
        mode: octal digits: `100644`, `100755`, `120000` a link, `160000` a submodule.
        name: the name of its blob, in hex.
    """

    path: bytes
    mode: bytes
    name: str


def object_name(kind: str, content: bytes, *, like: str) -> str:
    """The name of an object, in hex.

    Args:
        kind: `blob`, `tree` or `commit`.
        content: its bytes.
        like: any name of the same repository; its length tells the hash.
    """
    header = b"%s %d\0" % (kind.encode("ascii"), len(content))
    if len(like) == _SHA1_HEX:
        return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
    return hashlib.sha256(header + content).hexdigest()


def tree_name(entries: Iterable[TreeEntry], *, like: str) -> str:
    """The name of the tree that holds exactly these files."""
    files: dict[bytes, TreeEntry] = {}
    below: dict[bytes, list[TreeEntry]] = {}
    for entry in entries:
        first, slash, rest = entry.path.partition(b"/")
        if slash:
            below.setdefault(first, []).append(TreeEntry(path=rest, mode=entry.mode, name=entry.name))
        else:
            files[first] = entry
    lines = [
        (name, b"%s %s\0%s" % (entry.mode, name, bytes.fromhex(entry.name))) for name, entry in files.items()
    ]
    for name, inside in below.items():
        digest = bytes.fromhex(tree_name(inside, like=like))
        # git orders a directory as if its name ended with a slash
        lines.append((name + b"/", b"%s %s\0%s" % (_DIRECTORY_MODE, name, digest)))
    return object_name("tree", b"".join(line for _, line in sorted(lines)), like=like)
