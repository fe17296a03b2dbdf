"""What does the project's code answer when it is asked? A child process, and an answer taken from a stranger.

The gate never imports what it judges. The child runs in the project's own environment, isolated (`-I`), with
variables made for it, bounded in time and output; whatever else it does is a problem, never a pass.
"""

import subprocess
import tempfile
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from launchworthy.vocabulary import Problem, ProblemError

_SECONDS = 30.0
_MAX_BYTES = 8 * 1024 * 1024
Kind = Literal["tool", "resource", "prompt"]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Registered(_Said):
    """A marked function: its kind, its name and where it is."""

    kind: Kind
    name: str = Field(max_length=128)
    where: str = Field(max_length=512)


class Published(_Said):
    """What clients see of a target, as the protocol writes it."""

    kind: Kind
    name: str = Field(max_length=128)
    published: dict[str, Any]


class Answer(_Said):
    """What the code says of itself.

    Attributes:
        registered: every marked function.
        targets: what clients would see; empty where the code and the manifests disagree.
        weak: why the settings class could hold a secret; empty where it cannot.
        schema_: the JSON Schema of the settings, with the team's own table.
        problems: why something could not be said.
    """

    version: Literal[1]
    registered: tuple[Registered, ...]
    targets: tuple[Published, ...]
    weak: tuple[str, ...]
    schema_: dict[str, Any] = Field(alias="schema")
    problems: tuple[dict[str, str], ...]


def ask_project(python: Path, package: str, root: Path) -> Answer:
    """Ask the project's code, in its own environment.

    Args:
        python: of that environment.
        package: to be imported.
        root: of the project.

    Raises:
        ProblemError: `code-not-described`: it cannot be imported, hangs, or prints something else.
    """
    with tempfile.TemporaryDirectory(prefix="lw-") as scratch, tempfile.TemporaryFile() as out:
        try:
            done = subprocess.run(  # noqa: S603 - the project's own interpreter
                [python, "-I", "-m", "launchworthy.server.describing", package],
                cwd=scratch,
                env={"PATH": "/usr/bin:/bin", "HOME": scratch, "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
                timeout=_SECONDS,
                check=False,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            raise _refused(package, root, f"did not answer within {_SECONDS:.0f} s") from None
        except OSError as error:
            raise _refused(package, root, f"cannot be asked ({type(error).__name__})") from None
        if done.returncode != 0:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing on stderr"]
            raise _refused(package, root, f"cannot be imported: {last[0][:200]}")
        out.seek(0)
        said = out.read(_MAX_BYTES + 1)
    return _read(said, package, root)


def _read(said: bytes, package: str, root: Path) -> Answer:
    if len(said) > _MAX_BYTES or said.count(b"\n") != 1:
        raise _refused(package, root, "prints something when it is imported")
    try:
        return Answer.model_validate_json(said)
    except ValidationError:
        raise _refused(package, root, "answers with something else than was asked") from None


def _refused(package: str, root: Path, what: str) -> ProblemError:
    return ProblemError(
        Problem(
            reason="code-not-described",
            where=str(root),
            what=f"the package `{package}` {what}",
            fix=("install the project into the environment that is asked: python3 noxfile.py -s check",),
        )
    )
