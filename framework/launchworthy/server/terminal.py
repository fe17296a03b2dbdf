"""What does a developer see of a refusal? Its private detail, in the terminal of `launchworthy dev` only."""

import sys
from collections.abc import Callable

from launchworthy.enforcement.gate_config import RefusalNote


def refusal_printer() -> Callable[[RefusalNote], None]:
    """A callback for the gate that writes to stderr; used in the `development` environment alone."""

    def show(note: RefusalNote) -> None:
        what = f" {note.target}" if note.target is not None else ""
        lines = [f"{note.status}  {note.reason.value:<20} call {note.call}{what}", f"  {note.detail}"]
        if note.scopes:
            lines.append(f"  → needs the scope {' '.join(note.scopes)}")
        print("\n".join(lines), file=sys.stderr, flush=True)  # noqa: T201 - this is where it goes

    return show
