"""What of some bytes can be read as a text? All of a text; of anything else, the runs of characters in it."""

import codecs
import re
from dataclasses import dataclass

MAX_TEXT = 8 * 1024 * 1024
"""The longest that is looked at, in bytes."""
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_RUN = re.compile(rb"[\t\x20-\x7e]{16,}")
"""What `strings` would show: no secret that is known by its shape is shorter."""
_WIDE = re.compile(rb"(?:[\t\x20-\x7e]\0){16,}|(?:\0[\t\x20-\x7e]){16,}")
"""The same in UTF-16 of either order; where nothing says that it is, it looks like anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text, and where it was.

    Attributes:
        path: relative, with slashes.
        text: all of it; what is no UTF-8 is replaced. Empty where there is more than is read.
        whole: whether it was read; False for one that is too long.
        binary: whether it was cut out of something that is no text: names beside values mean nothing there.
    """

    path: str
    text: str
    whole: bool
    binary: bool


def text_of(path: str, content: bytes) -> Text:
    """Read some bytes.

    A file that holds a zero byte is no text, unless its first two bytes say that it is UTF-16.

    Args:
        path: where they were.
        content: all of them, or more than `MAX_TEXT` of them.
    """
    if len(content) > MAX_TEXT:
        return Text(path=path, text="", whole=False, binary=False)
    if content.startswith(_UTF16):
        text, binary = content.decode("utf-16", errors="replace"), False
    elif b"\0" in content:
        runs = [*_RUN.findall(content)]
        runs += [run.replace(b"\0", b"") for run in _WIDE.findall(content)]
        text, binary = b"\n".join(runs).decode("ascii"), True
    else:
        text, binary = content.decode("utf-8-sig", errors="replace"), False
    return Text(path=path, text=text, whole=True, binary=binary)
