"""What may be chosen on the command line? The words of options that several commands have."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from launchworthy.vocabulary import Environment


class Output(StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"


class Promoted(StrEnum):
    """What can be promoted for: `rehearsal` is a wheel that starts nowhere else."""

    STAGING = Environment.STAGING.value
    PRODUCTION = Environment.PRODUCTION.value
    REHEARSAL = Environment.REHEARSAL.value

    @property
    def environment(self) -> Environment:
        """The same as an environment."""
        return Environment(self.value)


class Deployed(StrEnum):
    """Where a server runs for others."""

    STAGING = Environment.STAGING.value
    PRODUCTION = Environment.PRODUCTION.value


TRUST_FILE = Path("/etc/launchworthy/trust.toml")
TrustOption = Annotated[Path, typer.Option("--trust", help="The platform's trust policy.")]
