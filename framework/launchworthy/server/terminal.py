"""What does a developer see in the terminal of `launchworthy dev`, and nobody elsewhere?

The private detail of a refusal, and where to sign in at a sandbox.
"""

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


def sign_in_printer(credential: str) -> Callable[[str, str | None], None]:
    """A callback that tells where to sign in, on stderr; used in the `development` environment alone."""

    def show(page: str, code: str | None) -> None:
        lines = [f"`{credential}` is your own sign-in at a sandbox; open", f"  {page}"]
        if code is not None:
            lines.append(f"  and type  {code}")
        print("\n".join(lines), file=sys.stderr, flush=True)  # noqa: T201 - this is where it goes

    return show
