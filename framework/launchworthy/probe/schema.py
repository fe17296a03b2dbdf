"""Where is the schema of a probe's report? `python -m launchworthy.probe.schema FOLDER` writes it there."""

import json
import sys
from pathlib import Path

from launchworthy.probe.report import SCHEMA_FILE, report_schema


def write_schema(folder: Path) -> Path:
    """Write the schema; returns where."""
    path = folder / SCHEMA_FILE
    path.write_text(json.dumps(report_schema(), indent=1) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{write_schema(Path(sys.argv[1]))}\n")
