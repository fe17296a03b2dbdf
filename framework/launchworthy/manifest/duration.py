"""How long is `10s`? One form of writing a time, in manifests and settings."""

import re

_DURATION = re.compile(r"([1-9][0-9]{0,6})(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DURATION_PATTERN = f"^{_DURATION.pattern}$"


def parse_duration(text: str) -> float:
    """Read `250ms`, `10s`, `2m`, `1h` or `400d` as seconds.

    Raises:
        ValueError: it is not written like that; zero is not a duration either.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError("a duration is a whole number and one of ms, s, m, h, d: `10s`")
    return int(found[1]) * _SECONDS[found[2]]
