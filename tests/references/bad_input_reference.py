"""What becomes of a bad project, or of a bad machine? The page, from the list that the tests go through."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "integration" / "promotion_bad_input"))

from test_promotion_bad_input import BAD
from test_promotion_bad_input_signals import INTERRUPTED, STAGES

_HEAD = f"""# What becomes of a bad project, or of a bad machine

A clear finding (exit 1) or no decision (exit 2): never a pass, and never a hang.
Each line is a test that runs the real command.

Whoever ends the gate with Ctrl-C, SIGTERM or a closed terminal gets {INTERRUPTED}, at whatever moment ({", ".join(STAGES)}): no process, no temporary folder and no half of a report is left.

| what is wrong | command | exit | what is said |
|---|---|---|---|
"""  # noqa: E501 - one sentence a line


def bad_input_reference() -> str:
    """One line for each thing that is wrong."""
    rows = (
        (
            each.name,
            f"`launchworthy {' '.join(each.command)}`",
            " or ".join(map(str, each.exits)),
            each.says.replace("|", "\\|"),
        )
        for each in BAD
    )
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)
