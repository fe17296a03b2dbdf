"""What a shape is, and how encoded ones are read."""

import base64
import binascii
from typing import NamedTuple


class Shape(NamedTuple):
    """A secret that shows by its own form: its kind, itself and where it starts."""

    kind: str
    value: str
    start: int


def decoded(text: str) -> str:
    """The text behind base64 of either alphabet, padded or not; empty where there is none."""
    whole = text[: len(text) - 1] if len(text) % 4 == 1 else text + "=" * (-len(text) % 4)
    try:
        return base64.b64decode(whole.replace("-", "+").replace("_", "/"), validate=True).decode("latin-1")
    except (ValueError, binascii.Error):
        return ""
