"""How is a judge run? A program that others wrote: without our variables, with an end, and disbelieved.

It gets a PATH, a home of its own and nothing else: no token of CI, no key of an agent. Its output is bounded
and is read as a stranger's. Whatever it does but answer is a reason to decide nothing.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from launchworthy.vocabulary import Problem, ProblemError

_MOST: Final = 16 * 1024 * 1024
_OFFLINE: Final = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_COLOR": "1", "LANG": "C.UTF-8"}
"""No colours, and no price list of language models from the network."""


class Said(BaseModel):
    """What a judge says, as far as anybody looks: what else it says is its own."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)


T = TypeVar("T", bound=Said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run to its end."""

    code: int
    stdout: bytes


def find_program(name: str) -> Path | None:
    """Where a judge is: beside our own interpreter, or on the PATH; None where it is not installed."""
    beside = Path(sys.executable).parent
    found = shutil.which(name, path=f"{beside}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
    return None if found is None else Path(found)


def run_judge(name: str, command: Sequence[str | Path], *, folder: Path, seconds: float) -> Ran:
    """Run it to its end.

    Args:
        name: for messages.
        command: the program, and its arguments; they hold no secret.
        folder: where it runs; a fresh home is made in it.
        seconds: after which it is killed, with all that it started.

    Raises:
        ProblemError: `judge-failed`: it could not be run, or did not end.
    """
    home = Path(tempfile.mkdtemp(prefix="home-", dir=folder))
    environ = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), **_OFFLINE}
    with (home / "stdout").open("w+b") as out:
        try:
            process = subprocess.Popen(  # noqa: S603 - a judge that the operator installed
                [str(part) for part in command],
                cwd=home,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise failed(name, f"could not be run: {type(error).__name__}") from None
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise failed(name, f"did not end within {seconds:.0f} s") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        out.seek(0)
        return Ran(code=code, stdout=out.read(_MOST))


def read_said(name: str, content: bytes, model: type[T]) -> T:
    """Read what a judge said, as strictly as any stranger's.

    Raises:
        ProblemError: `judge-failed`: it is something else.
    """
    try:
        return model.model_validate_json(content)
    except ValidationError:
        raise failed(name, "said something that is not its report") from None


def failed(name: str, what: str) -> ProblemError:
    """A judge that did not judge; its silence is no agreement."""
    fix = ("run it by hand against `launchworthy dev`, or take it from the PATH where nobody requires it",)
    return ProblemError(Problem(reason="judge-failed", what=f"the judge `{name}` {what}", fix=fix))
