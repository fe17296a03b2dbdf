"""Which judges are here?"""

from pathlib import Path
from typing import Final

from launchworthy.promotion.judges import conformance, kingfisher, mcp_scanner

JUDGES: Final = (mcp_scanner.NAME, kingfisher.NAME, conformance.NAME)
"""All that are known, by the names of their programs."""


def installed() -> dict[str, Path]:
    """Those that are here, and where."""
    found = {
        mcp_scanner.NAME: mcp_scanner.find(),
        kingfisher.NAME: kingfisher.find(),
        conformance.NAME: conformance.find(),
    }
    return {name: path for name, path in found.items() if path is not None}
