"""A team's first day, command by command, on a machine with Python, git and an empty HOME."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.project import TestedProject
from launchworthy.testing.workload_api import WorkloadApi
from launchworthy.vocabulary import Environment

PATIENCE = 1200.0
TRUST = """\
[rehearsal]
promoters = ["{promoter}"]
stamp     = "none"
catalogue = "0.1"

[roots]
"{domain}" = ["roots.pem"]
"""


@dataclass
class Machine:
    """What runs commands and remembers what they said."""

    folder: Path
    said: list[tuple[str, str, str]] = field(default_factory=list)

    def environ(self, **more: str) -> dict[str, str]:
        """Python and git on the PATH, the index of this machine, and nothing of its user."""
        programs = self.folder / "bin"
        if not programs.exists():
            (self.folder / "home").mkdir()
            programs.mkdir()
            (programs / "python3").symlink_to(Path(sys.base_prefix, "bin", "python3").resolve())
        passed = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(("UV_INDEX", "UV_DEFAULT", "UV_FIND", "PIP_", "SSL_"))
        }
        person = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "team"), ("EMAIL", "team@acme.example"))
        }
        known = {"HOME": str(self.folder / "home"), "PATH": f"{programs}:/usr/bin:/bin", "LANG": "C.UTF-8"}
        return passed | person | known | more

    def run(self, where: Path, command: str, *, code: int = 0, **environ: str) -> str:
        """Run a command as somebody types it; returns what it printed.

        Raises:
            AssertionError: it ended with another code.
        """
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=where,
            env=self.environ(**environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.said.append((where.name, command, done.stdout))
        assert done.returncode == code, f"$ {command}\nexit {done.returncode}\n{done.stdout}"
        return done.stdout

    @contextmanager
    def beside(self, where: Path, command: str, until: str) -> Iterator[None]:
        """Run a command in another terminal, from when it has said `until` to the end of the block."""
        log = self.folder / "beside.txt"
        with log.open("w") as out:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=where,
                env=self.environ(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
            try:
                deadline = time.monotonic() + PATIENCE
                while until not in log.read_text():
                    assert process.poll() is None, log.read_text()
                    assert time.monotonic() < deadline, log.read_text()
                    time.sleep(0.1)
                self.said.append((where.name, f"{command}    # in another terminal", log.read_text()))
                yield
            finally:
                os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal: to all of them
                process.wait(90)


@dataclass(frozen=True)
class Platform:
    """What the project's developers do not hold: who signs, and who is trusted to."""

    endpoint: str
    trust: Path


@contextmanager
def platform(folder: Path) -> Iterator[Platform]:
    """A promoter's identity, and a policy that trusts it for rehearsals."""
    authority = SimulatedAuthority(clock=time.time)
    folder.mkdir(mode=0o700)
    (folder / "roots.pem").write_bytes(authority.bundle_pem())
    trust = folder / "trust.toml"
    trust.write_text(TRUST.format(promoter=authority.spiffe_id("release"), domain=authority.trust_domain))
    trust.chmod(0o400)
    with WorkloadApi(authority, "release") as agent:
        yield Platform(endpoint=agent.endpoint, trust=trust)


def edit(root: Path, path: str, changes: Mapping[str, str]) -> None:
    """Replace texts that are there."""
    text = (root / path).read_text()
    for before, after in changes.items():
        assert before in text, f"{path} does not hold {before!r}"
        text = text.replace(before, after)
    (root / path).write_text(text)


def copy_and_start(machine: Machine, clone: Path, project: Path, *answers: str) -> None:
    """Make it, commit it, and call it before anything is configured."""
    given = " ".join(f"--data {answer}" for answer in answers)
    options = f"--defaults --data-file examples/orders-answers.yml {given}".strip()
    machine.run(clone, f"python3 noxfile.py -s new -- ../{project.name} {options}")
    machine.run(
        project, 'git init --quiet -b main && git add -A && git commit --quiet -m "from the template"'
    )
    machine.run(project, "python3 noxfile.py -s venv")
    with machine.beside(project, "python3 noxfile.py -s dev", "serving at"):
        said = machine.run(project, ".venv/bin/launchworthy dev call place_order")
        assert '"quantity": 2' in said
        machine.run(project, ".venv/bin/launchworthy dev call find_orders customer=c-17")
        refused = machine.run(
            project, ".venv/bin/launchworthy dev call refund_order --scope orders:read", code=1
        )
        assert "403" in refused
    assert "no `launchworthy dev` runs" in machine.run(project, ".venv/bin/launchworthy dev token", code=2), (
        "Ctrl-C left it running"
    )


def change_a_tool(machine: Machine, project: Path) -> None:
    """What the first day is for."""
    edit(project, "src/orders/tools.py", {"ge=1, le=99": "ge=1, le=50"})
    edit(project, "tests/test_tools.py", {"quantity=2": "quantity=3"})
    machine.run(project, "python3 noxfile.py")
    machine.run(project, ".venv/bin/launchworthy lock")
    machine.run(project, 'git add -A && git commit --quiet -m "sell at most fifty"')


def promote(machine: Machine, project: Path, signs: Platform) -> None:
    """Held until somebody is on call; then cleared."""
    assert "GOV-01" in machine.run(project, "python3 noxfile.py -s check", code=1)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    edit(
        project,
        "manifests/server.toml",
        {
            "https://on-call.orders.invalid": "https://on-call.acme.example/orders",
            "security@orders.invalid": "security@acme.example",
            "1970-01-01": today,
        },
    )
    machine.run(project, ".venv/bin/launchworthy lock")
    machine.run(project, 'git commit --quiet -am "say who is on call"')
    _promote_for_rehearsal(machine, project)
    sign_and_build(machine, project, signs)


def sign_and_build(machine: Machine, project: Path, signs: Platform) -> None:
    """No wheel before the platform has signed, and one after."""
    built = {"LAUNCHWORTHY_BUILD": "rehearsal", "LAUNCHWORTHY_TRUST": str(signs.trust)}
    build = ".venv/bin/uv build --wheel --out-dir dist"
    assert "no-record" in machine.run(project, build, code=2, **built)
    machine.run(
        project,
        f".venv/bin/launchworthy attest dist/promotion/report.json"
        f" --endpoint {signs.endpoint} --trust {signs.trust}",
    )
    machine.run(project, build, **built)
    machine.run(project, f".venv/bin/launchworthy verify-record --trust {signs.trust}")


def _promote_for_rehearsal(machine: Machine, project: Path) -> None:
    """Some rehearsals time the answers of a server: a busy machine gets another try, as from a person."""
    command = "python3 noxfile.py -s promote -- --environment rehearsal"
    for _ in range(2):
        try:
            machine.run(project, command)
        except AssertionError:
            machine.said.pop()
        else:
            return
    machine.run(project, command)


def serve_the_wheel(machine: Machine, project: Path, signs: Platform, folder: Path) -> None:
    """The promoted wheel, in an environment of its own, behind the record's check; one call, one refusal."""
    machine.run(project, "python3 -m venv --without-pip ../served")
    machine.run(
        project, ".venv/bin/uv export --quiet --locked --no-default-groups --no-emit-project -o ../locked.txt"
    )
    machine.run(
        project,
        ".venv/bin/uv pip install --quiet --python ../served/bin/python --requirement ../locked.txt"
        " && .venv/bin/uv pip install --quiet --python ../served/bin/python --no-deps dist/*.whl",
    )
    tested = TestedProject.read(project)
    folder.mkdir()
    served = project.parent / "served" / "bin" / "python"
    with tested.world(
        folder, environment=Environment.REHEARSAL, settings=Environment.PRODUCTION, trust=signs.trust
    ) as world:
        server = world.server("orders", python=str(served))
        server.start()
        try:
            server.wait_ready(PATIENCE)  # nothing is compiled yet
            with world.client("orders:read", "orders:write") as client:
                placed = client.call("place_order", customer="c-17", item="teapot", quantity=2)
                assert client.call("find_orders", customer="c-17") == [placed]
        finally:
            server.stop()


def upgrade(machine: Machine, clone: Path, project: Path, tag: str) -> str:
    """The first upgrade: what is new arrives, the edit stays, and it says what is asked now."""
    machine.run(clone, f"git checkout --quiet {tag}")
    machine.run(clone, f"python3 noxfile.py -s lend -- ../{project.name}")
    said = machine.run(project, "python3 noxfile.py -s upgrade")
    assert f"_commit: {tag}" in (project / ".copier-answers.yml").read_text()
    assert "ge=1, le=50" in (project / "src" / "orders" / "tools.py").read_text()
    machine.run(project, "python3 noxfile.py -s tests")
    machine.run(project, f'git add -A && git commit --quiet -m "upgrade to {tag}"')
    return said
