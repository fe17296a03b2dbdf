"""Can a stranger take this server over? What a run on a clean machine did, step by step.

The run has a home and caches of its own, which are empty when it begins, and a clone of the commit: whatever
it needs besides comes from the indexes that `uv.lock` names, or it fails.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA: Final = "urn:launchworthy:evidence:handover:v1"
STEPS: Final = ("clone", "install", "check", "rehearse")
"""In this order; each needs the one before."""
REHEARSED: Final = ("KEY-01", "KEY-02", "GOV-05")
"""Rotation of keys, a key that is withdrawn, and a tool and a caller that are stopped."""
_PASSED_ON: Final = frozenset({"PATH", "LANG"})
_PASSED_PREFIXES: Final = (
    "SSL_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
_INDEXES: Final = frozenset(
    {"UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_NATIVE_TLS"}
)

MAIL = r"^[^\s@]+@[^\s@]+$"
"""By which an operator is named."""


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Step(_Said):
    """One step of the run.

    Attributes:
        name: one of `STEPS`.
        command: what was run.
        seconds: how long it took.
        exit_code: how it ended.
        holds: whether it did what a handover needs.
        says: one line of what came of it.
    """

    name: Literal["clone", "install", "check", "rehearse"]
    command: Annotated[str, Field(max_length=400)]
    seconds: Annotated[float, Field(ge=0)]
    exit_code: int
    holds: bool
    says: Annotated[str, Field(max_length=400)]


class HandoverEvidence(_Said):
    """What the run did.

    Attributes:
        server: by its manifest.
        commit: which was cloned.
        made_at: when it ended, in seconds since the epoch.
        operator: who ran it: a mail address, as their commits and sign-ins have it.
        lent: wheels that lay beside the repository, by their hash in `uv.lock`.
        steps: in order.
    """

    schema_: Literal["urn:launchworthy:evidence:handover:v1"] = Field(alias="schema")
    server: Annotated[str, Field(max_length=128)]
    commit: Annotated[str, Field(pattern="^[0-9a-f]{40}([0-9a-f]{24})?$")]
    made_at: Annotated[int, Field(ge=0)]
    operator: Annotated[str, Field(pattern=MAIL, max_length=200)]
    lent: tuple[Annotated[str, Field(max_length=300)], ...]
    steps: Annotated[tuple[Step, ...], Field(max_length=len(STEPS))]

    def mistakes(self) -> Iterator[str]:
        """What did not work, or was not tried, a few words each."""
        done = [step.name for step in self.steps]
        for step in self.steps:
            if not step.holds:
                yield f"the step `{step.name}` failed: {step.says}"
        if tuple(done) != STEPS[: len(done)]:
            yield "its steps are not those of a handover"
        elif len(done) < len(STEPS):
            yield f"it ended before the step `{STEPS[len(done)]}`"


def environment_of_a_stranger(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """The variables of somebody who was never here: the way to the indexes, and empty folders.

    Args:
        environ: of this process.
        home: an empty folder.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name in _PASSED_ON or name in _INDEXES or name.startswith(_PASSED_PREFIXES)
    }
    return {
        **kept,
        "PATH": kept.get("PATH", os.defpath),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "UV_CACHE_DIR": str(home / "cache" / "uv"),
        "PIP_CACHE_DIR": str(home / "cache" / "pip"),
        "UV_NO_CONFIG": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
