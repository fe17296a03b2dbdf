"""Which secrets show by their own shape, whatever they are called?"""

from collections.abc import Iterator

from launchworthy.detection.carriers import carried
from launchworthy.detection.private_keys import private_keys
from launchworthy.detection.shape import Shape
from launchworthy.detection.tokens import tokens


def shapes(text: str, lowered: str) -> Iterator[Shape]:
    """Every secret that shows by its shape; one may show twice.

    Args:
        text: where to look.
        lowered: the same in lower case, position by position.
    """
    yield from tokens(text, lowered)
    yield from private_keys(text)
    yield from carried(text, lowered)
