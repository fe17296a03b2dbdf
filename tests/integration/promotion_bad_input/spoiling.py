"""Ways to spoil a good project, or the machine that judges it, and to judge it with the real command."""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "tests" / "integration" / "promotion_rehearsals"))

from promoted_orders import PromotedOrders, environ  # noqa: E402 - it lies beside the tests of the gate

SERVER = "src/orders/server.py"
OPENS = "    yield OrderStore(settings.database)\n"
BEGINS = "from orders import tools\n"
Spoil = Callable[[PromotedOrders], None]


@dataclass(frozen=True, kw_only=True)
class Bad:
    """One thing that is wrong.

    Attributes:
        name: of it.
        spoil: does it.
        command: that must not pass.
        exits: with which it may end.
        says: what it must name.
        python: another interpreter to ask the code with; the project's own if not said.
        variables: of the gate, beside the usual ones.
        read_only: whether nothing of the checkout can be written, not even by root.
        seconds: within which it must end.
    """

    name: str
    spoil: Spoil
    command: tuple[str, ...]
    exits: tuple[int, ...]
    says: str
    python: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    read_only: bool = False
    seconds: float = 240.0


def edited(path: str, before: str, after: str) -> Spoil:
    """Replace a text, and commit that."""

    def spoil(orders: PromotedOrders) -> None:
        orders.edit(path, before, after)
        orders.commit()

    return spoil


def opening(code: str) -> Spoil:
    """Have this run when the server opens the team's app."""
    return edited(SERVER, OPENS, "".join(f"    {line}\n" for line in code.splitlines()) + OPENS)


def importing(code: str) -> Spoil:
    """Have this run when the package is imported."""
    return edited(SERVER, BEGINS, f"{code}\n{BEGINS}")


def nothing(orders: PromotedOrders) -> None:
    """Leave it as it is."""
    del orders


@contextmanager
def put_back(orders: PromotedOrders) -> Iterator[None]:
    """Whatever is done to the project meanwhile, it is as it was afterwards."""
    with tempfile.TemporaryDirectory() as kept:
        shutil.copytree(orders.root / ".git", Path(kept, "git"), symlinks=True)
        try:
            yield
        finally:
            for name in ("dist", ".launchworthy"):
                if (orders.root / name).is_symlink():
                    (orders.root / name).unlink()
                if (orders.root / f"{name}.away").exists():
                    (orders.root / f"{name}.away").rename(orders.root / name)
            shutil.rmtree(orders.root / ".git", ignore_errors=True)
            shutil.copytree(Path(kept, "git"), orders.root / ".git", symlinks=True)
            orders.run("git", "reset", "-q", "--hard")
            orders.run("git", "clean", "-q", "-f", "-d")


def away(name: str) -> Spoil:
    """Put a folder where nothing can be written, not even by root."""

    def spoil(orders: PromotedOrders) -> None:
        folder = orders.root / name
        folder.mkdir(exist_ok=True)
        folder.rename(orders.root / f"{name}.away")
        folder.symlink_to("/proc/self")

    return spoil


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"'


def mounted_read_only(root: Path) -> tuple[str, ...]:
    """What comes before a command that finds this folder on a file system where nothing can be written."""
    return ("unshare", "--mount", "sh", "-c", READ_ONLY, str(root))


@contextmanager
def started(
    orders: PromotedOrders, *command: str, before: tuple[str, ...] = (), **variables: str
) -> Iterator["subprocess.Popen[str]"]:
    """The gate as a process of its own, in a group of its own; it does not outlive this."""
    python = () if "--python" in command else ("--python", str(orders.root / ".venv" / "bin" / "python"))
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # or else the gate would inherit that, and rightly
        signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [*before, sys.executable, "-m", "launchworthy.cli", *command, *python],
        cwd=orders.root, env=environ(**variables), start_new_session=True, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def judged(orders: PromotedOrders, bad: Bad) -> tuple[int | None, str]:
    """The exit code (None: it did not end in time), and all that was said."""
    python = () if bad.python is None else ("--python", bad.python)
    before = mounted_read_only(orders.root) if bad.read_only else ()
    with started(orders, *bad.command, *python, before=before, **bad.variables) as process:
        try:
            said, complaint = process.communicate(timeout=bad.seconds)
        except subprocess.TimeoutExpired:
            return None, ""
    return process.returncode, said + complaint
