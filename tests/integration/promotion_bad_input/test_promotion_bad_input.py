"""Whatever is wrong with a project or its machine: a clear finding or exit 2, never a pass, never a hang."""

import shutil
import subprocess
from pathlib import Path

import pytest
from spoiling import (
    Bad,
    PromotedOrders,
    away,
    edited,
    importing,
    judged,
    mounted_read_only,
    nothing,
    opening,
    put_back,
)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spoiled")]

CHECK = ("check", "--environment", "rehearsal")
REHEARSE = (*CHECK, "TOK-04", "--rehearse")
REHEARSE_TLS = (*CHECK, "TR-02", "--rehearse")
PROMOTE = ("promote", "--environment", "rehearsal")
FAILS, UNDECIDED = (1,), (2,)


def without_git(orders: PromotedOrders) -> None:
    shutil.rmtree(orders.root / ".git")


def shallow(orders: PromotedOrders) -> None:
    orders.edit("README.md", "\n", "\n\n")
    orders.commit()
    clone = orders.root.with_name("shallow")
    orders.run("git", "clone", "-q", "--depth", "1", orders.root.as_uri(), clone)
    shutil.rmtree(orders.root / ".git")
    shutil.move(clone / ".git", orders.root / ".git")
    shutil.rmtree(clone)


def with_submodule(orders: PromotedOrders) -> None:
    source = (orders.root / ".git").as_uri()
    orders.run("git", "-c", "protocol.file.allow=always", "submodule", "add", "-q", source, "vendored")
    orders.commit()


def dirty(orders: PromotedOrders) -> None:
    orders.edit("README.md", "\n", "\n\n")


def from_tomorrow(orders: PromotedOrders) -> None:
    orders.edit("README.md", "\n", "\n\n")
    who = ("-c", "user.name=x", "-c", "user.email=x@x.invalid", "-c", "commit.gpgsign=false")
    now = int(orders.run("git", "log", "-1", "--format=%ct").stdout)
    orders.run("git", *who, "commit", "-q", "-a", "-m", "later", GIT_COMMITTER_DATE=f"{now + 86_400} +0000")


def without_environment(orders: PromotedOrders) -> None:
    for each in (orders.root / ".launchworthy").glob("promotion/environment-*"):
        shutil.rmtree(each)


def ten_megabytes(orders: PromotedOrders) -> None:
    tools = orders.root / "manifests" / "tools.toml"
    tools.write_text(f"# {'x' * 10_000_000}\n{tools.read_text()}")


FORKS = "import os, time\nif os.fork() == 0:\n    time.sleep(600)"
HANGS = "import time\ntime.sleep(600)"
HANGS_AT_THE_END = "import atexit, time\natexit.register(time.sleep, 600)"
LISTENS = "import socket\nelsewhere = socket.create_server(('127.0.0.1', 0))"
PRINTS = "print('AKIA' + 'Z7QK4M2XW5N3RT6B', flush=True)"
BAD = (
    Bad(name="does not import", spoil=importing("raise RuntimeError('no')"), command=CHECK, exits=UNDECIDED,
        says="cannot be imported: RuntimeError: no"),
    Bad(name="is no Python", spoil=importing("def"), command=CHECK, exits=UNDECIDED,
        says="cannot be imported"),
    Bad(name="hangs at import", spoil=importing(HANGS), command=CHECK, exits=UNDECIDED,
        says="did not answer within 30 s"),
    Bad(name="forks at import", spoil=importing(FORKS), command=CHECK, exits=UNDECIDED,
        says="did not answer within 30 s"),
    Bad(name="prints at import", spoil=importing(PRINTS), command=CHECK, exits=UNDECIDED,
        says="prints something when it is imported"),
    Bad(name="answers nothing", spoil=nothing, command=CHECK, exits=UNDECIDED, python="/bin/true",
        says="prints something when it is imported"),
    Bad(name="answers without end", spoil=nothing, command=CHECK, exits=UNDECIDED, python="/usr/bin/yes",
        says="code-not-described"),
    Bad(name="hangs at start", spoil=opening(HANGS), command=REHEARSE, exits=UNDECIDED,
        says="the server did not start in a rehearsal"),
    Bad(name="ends at start", spoil=opening("import os; os._exit(0)"), command=REHEARSE, exits=UNDECIDED,
        says="the server did not start in a rehearsal"),
    Bad(name="ignores its end", spoil=opening(HANGS_AT_THE_END),
        command=(*CHECK, "SEC-05", "--rehearse"), exits=UNDECIDED, says="still running after 60.0 s"),
    Bad(name="forks at start", spoil=opening(FORKS), command=REHEARSE_TLS, exits=FAILS, says="(fork)"),
    Bad(name="listens elsewhere", spoil=opening(LISTENS), command=REHEARSE_TLS, exits=FAILS,
        says="which is not what was declared"),
    Bad(name="prints a secret", spoil=opening(PRINTS), command=(*CHECK, "SEC-04", "--rehearse"), exits=FAILS,
        says="it printed a secret: aws access key"),
    Bad(name="no git", spoil=without_git, command=CHECK, exits=UNDECIDED, says="is in no git working tree"),
    Bad(name="a shallow history", spoil=shallow, command=CHECK, exits=UNDECIDED,
        says="this clone is shallow"),
    Bad(name="a dirty tree", spoil=dirty, command=PROMOTE, exits=UNDECIDED, says="tree-not-clean"),
    Bad(name="a submodule", spoil=with_submodule, command=PROMOTE, exits=UNDECIDED,
        says="submodule-not-covered"),
    Bad(name="a commit from tomorrow", spoil=from_tomorrow, command=CHECK, exits=FAILS, says="s from now"),
    Bad(name="a manifest of 10 MB", spoil=ten_megabytes, command=CHECK, exits=UNDECIDED,
        says="file-too-large"),
    Bad(name="no wheel can be built", command=REHEARSE, exits=UNDECIDED,
        spoil=edited("pyproject.toml", 'build-backend = "', 'build-backend = "no_'),
        says="see what `uv build --wheel` says here"),
    Bad(name="no network", spoil=without_environment, command=REHEARSE, exits=UNDECIDED, says="uv",
        variables={"UV_OFFLINE": "1", "UV_CACHE_DIR": "no-cache"}),
    Bad(name="a read-only checkout", spoil=nothing, command=REHEARSE, exits=UNDECIDED, read_only=True,
        says="nothing can be built or installed there"),
    Bad(name="a read-only checkout, promoted", spoil=nothing, command=PROMOTE, exits=UNDECIDED,
        read_only=True, says="report-not-written"),
    Bad(name="nowhere to build", spoil=away(".launchworthy"), command=REHEARSE, exits=UNDECIDED,
        says="nothing can be built or installed there"),
    Bad(name="nowhere to report", spoil=away("dist"), command=("promote", "--environment", "rehearsal"),
        exits=UNDECIDED, says="report-not-written"),
)  # fmt: skip


def test_the_project_holds_as_it_is(good_orders: PromotedOrders) -> None:
    for command in (CHECK, (*CHECK, "TOK-04", "TR-02", "SEC-04", "--rehearse")):
        good = Bad(name="nothing", spoil=nothing, command=command, exits=(0,), says="HOLD")
        code, said = judged(good_orders, good)
        assert (code, "HOLD " in said) == (0, True), said


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name.replace(" ", "-"))
def test_it_never_passes_and_never_hangs(good_orders: PromotedOrders, tmp_path: Path, bad: Bad) -> None:
    if bad.read_only and subprocess.run((*mounted_read_only(tmp_path), "true"), check=False).returncode:
        pytest.skip("only root can mount a folder as read-only, where that is allowed at all")
    with put_back(good_orders):
        bad.spoil(good_orders)
        code, said = judged(good_orders, bad)
        left = processes_below(good_orders.root)
    assert code in bad.exits, said
    assert bad.says in said
    assert "Traceback" not in said
    assert left == []


def processes_below(root: Path) -> list[str]:
    """What still runs with an interpreter of the project's."""
    listed = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.startswith(str(root))]
