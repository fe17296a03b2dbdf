"""What does an upgrade change in what production asks? A note is kept before, and compared after."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

NOTE: Final = Path(".launchworthy", "upgrade.json")


def keep_note(root: Path, *, version: str, controls: Mapping[str, str]) -> None:
    """Keep what the framework here asks, before another takes its place.

    Args:
        root: the project's folder.
        version: of the framework.
        controls: each one's title, by its id.
    """
    (root / NOTE).parent.mkdir(exist_ok=True)
    (root / NOTE).write_text(json.dumps({"version": version, "controls": dict(controls)}), encoding="utf-8")


def news(root: Path, *, version: str, controls: Mapping[str, str]) -> Iterator[str]:
    """What is asked now and was not, no longer, or in other words; a line each. The note is thrown away.

    Args:
        root: the project's folder.
        version: of the framework now.
        controls: each one's title now, by its id.
    """
    before = _note(root)
    if before is None:
        return
    was, had = before
    (root / NOTE).unlink()
    if was == version and had == controls:
        yield f"launchworthy {version} as before: {len(controls)} controls, none of them new"
        return
    yield f"launchworthy {was} → {version}: {len(controls)} controls, {len(had)} before"
    for control in sorted(controls.keys() | had.keys()):
        if control not in had:
            yield f"  + {control}  {controls[control]}"
        elif control not in controls:
            yield f"  - {control}  {had[control]}"
        elif controls[control] != had[control]:
            yield f"  ~ {control}  {controls[control]}"


def _note(root: Path) -> tuple[str, dict[str, str]] | None:
    """The note; None where there is none that can be read, so that nothing is made up."""
    try:
        held = json.loads((root / NOTE).read_text(encoding="utf-8"))
        return str(held["version"]), {str(key): str(value) for key, value in held["controls"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
