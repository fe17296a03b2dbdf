"""`docs/benchmarks-identity.md`: what was measured with a real SPIRE. `nox -s spire -- --write` renews it."""

import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "benchmarks-identity.md"
HEAD = """# Rotations and outages, with a real SPIRE

Written by `nox -s spire -- --write`, from what its tests saw. Measured {day}, Python {python}, {cores} cores.
The machine's load at the end: {load:.1f}; above its cores, others worked on it too.

## Rotation under load

Calls over mutual TLS to the example server: {callers} callers that together begin {rate} calls a second
where the machine keeps up, and every tenth call on a connection of its own.
Both sides have SVIDs of {ttl} s, which the agent renews well before they end.

| parser | loop | calls | failed | renewed: server | renewed: caller | calls a second |
|---|---|---|---|---|---|---|
{rotation}

## Back after an outage

The agent is stopped for {outage:.0f} s, which is longer than the SVID lives, and started again.

| from | until | seconds |
|---|---|---|
{outages}
"""


@dataclass
class Numbers:
    """What the tests of one run saw.

    Attributes:
        rotation: rows of the first table.
        outages: rows of the second.
        terms: what the sentences above them say.
    """

    rotation: list[str] = field(default_factory=list)
    outages: list[str] = field(default_factory=list)
    terms: dict[str, float] = field(default_factory=dict)

    def page(self):
        """The whole page."""
        return HEAD.format(
            day=f"{datetime.now(UTC):%Y-%m-%d}",
            python=platform.python_version(),
            cores=os.cpu_count(),
            load=os.getloadavg()[0],
            rotation="\n".join(self.rotation),
            outages="\n".join(self.outages),
            **self.terms,
        )


def row(*cells):
    """A row of a table."""
    return f"| {' | '.join(str(cell) for cell in cells)} |"
