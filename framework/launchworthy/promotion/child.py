"""What does the project's code answer when it is asked? A child process, and an answer taken from a stranger.

The gate never imports what it judges. The child runs in the project's own environment, isolated (`-I`), with
variables made for it, bounded in time and output; whatever else it does is a problem, never a pass.
"""

import os
import selectors
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from launchworthy.vocabulary import Problem, ProblemError

_SECONDS = 30.0
_MAX_BYTES = 8 * 1024 * 1024
_PIECE = 64 * 1024
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


class Asking:
    """A child that was asked and may still think; it is stopped whatever happens.

    It runs beside whatever the gate reads meanwhile, and nothing of it outlives `answer` or `stop`.
    """

    def __init__(self, python: Path, package: str, root: Path) -> None:
        """Start the child.

        Args:
            python: of the project's own environment.
            package: to be imported.
            root: of the project.

        Raises:
            ProblemError: `code-not-described`: the interpreter cannot be started.
        """
        self._package, self._root = package, root
        self._scratch = tempfile.TemporaryDirectory(prefix="lw-")
        self._deadline = time.monotonic() + _SECONDS
        try:
            self._child = subprocess.Popen(  # noqa: S603 - the project's own interpreter
                [python.absolute(), "-I", "-m", "launchworthy.server.describing", package],
                cwd=self._scratch.name,
                env={"PATH": "/usr/bin:/bin", "HOME": self._scratch.name, "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            self._scratch.cleanup()
            raise _refused(package, root, f"cannot be asked ({type(error).__name__})") from None

    def __enter__(self) -> Self:
        """It is already running."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Stop it, where nobody waited for the answer."""
        self.stop()

    def answer(self) -> Answer:
        """Wait for the answer.

        Raises:
            ProblemError: `code-not-described`: it cannot be imported, hangs, or prints something else.
        """
        try:
            said, complaint = self._listen()
        finally:
            self.stop()
        if self._child.returncode != 0:
            last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["nothing on stderr"]
            raise _refused(self._package, self._root, f"cannot be imported: {last[0][:200]}")
        return _read(said, self._package, self._root)

    def stop(self) -> None:
        """End the child and everything that it has started; a second time does nothing."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()
        self._scratch.cleanup()

    def _listen(self) -> tuple[bytes, bytes]:
        """Everything on stdout and stderr until both end; more than is allowed, or too late, is refused."""
        heard = {"said": bytearray(), "complaint": bytearray()}
        with selectors.DefaultSelector() as selector:
            for pipe, name in ((self._child.stdout, "said"), (self._child.stderr, "complaint")):
                if pipe is not None:
                    selector.register(pipe, selectors.EVENT_READ, name)
            while selector.get_map():
                ready = selector.select(self._deadline - time.monotonic())
                if not ready and time.monotonic() >= self._deadline:
                    raise _refused(self._package, self._root, f"did not answer within {_SECONDS:.0f} s")
                for key, _ in ready:
                    piece = os.read(key.fd, _PIECE)
                    heard[key.data] += piece
                    if not piece:
                        selector.unregister(key.fileobj)
                    if len(heard[key.data]) > _MAX_BYTES:
                        raise _refused(self._package, self._root, "prints too much when it is imported")
        self._await_end()
        return bytes(heard["said"]), bytes(heard["complaint"])

    def _await_end(self) -> None:
        try:
            self._child.wait(timeout=max(0.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise _refused(self._package, self._root, f"did not end within {_SECONDS:.0f} s") from None


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
            fix=(
                "install the project into the environment that is asked: python3 noxfile.py -s check",
                f'try it: python -c "import {package}.server"',
            ),
        )
    )
