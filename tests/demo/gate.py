"""Steps 7 to 9: held while nobody is on call, cleared, and a build that cannot be had without the record.

The demo plays the platform here: it has a promoter's identity and a trust policy, both outside the project.
"""

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from project import DemoProject
from screen import Screen

from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.process import ServerProcess
from launchworthy.testing.workload_api import WorkloadApi


@dataclass(frozen=True)
class Platform:
    """What the project's developers do not hold."""

    endpoint: str
    identity: str
    trust: Path


ON_CALL = "GOV-01"
WANT_EVIDENCE = ("TR-05", "GOV-03", "GOV-07", "SUP-04")
"""The evidence that people gather and approve before production; a rehearsal asks for none of it."""


def check_step(screen: Screen, project: DemoProject) -> None:
    """A fresh project is held by exactly the controls that ask a person something."""
    with screen.step("check"):
        done = project.launchworthy("check", "--format", "json", log=screen.log)
        held = _held(done.stdout)
        expected = sorted((ON_CALL, *WANT_EVIDENCE))
        if done.returncode != 1 or sorted(held) != expected:
            said = f"exit {done.returncode}, {' '.join(held)}"
            screen.fail("nobody is on call", said, f"exit 1, HELD by {' '.join(expected)}")
        screen.line("nobody is on call", f"HELD     {ON_CALL}")
        screen.line("for production, evidence is missing", f"HELD     {' '.join(WANT_EVIDENCE)}")


@contextmanager
def promote_step(screen: Screen, project: DemoProject, folder: Path) -> Iterator[Platform]:
    """Fill in what a person has to, promote, and have the platform sign."""
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    with _platform(folder) as platform:
        with screen.step("promote"):
            project.edit(
                "manifests/server.toml",
                "https://on-call.orders.invalid",
                "https://on-call.acme.example/orders",
            )
            project.edit("manifests/server.toml", "security@orders.invalid", "security@acme.example")
            project.edit("manifests/server.toml", "1970-01-01", today)
            project.launchworthy("lock", log=screen.log)
            project.commit("say who is on call")
            done = project.launchworthy(
                "promote", "--environment", "rehearsal", "--format", "json", log=screen.log
            )
            if done.returncode != 0:
                screen.fail(
                    "on-call filled in", f"exit {done.returncode}, {' '.join(_held(done.stdout))}", "CLEARED"
                )
            report = json.loads((project.root / "dist/promotion/report.json").read_text())
            controls, requests = len(report["findings"]), report["requests"]
            screen.line("on-call filled in", f"CLEARED  {controls} controls, {requests} requests")
        yield platform


def build_step(screen: Screen, project: DemoProject, folder: Path, platform: Platform) -> None:
    """No record, no wheel; with it a wheel that starts nowhere else; and none once a manifest was edited."""
    with screen.step("build"):
        refused = _build(screen, project, platform)
        if refused.returncode == 0 or _wheels(project) or "no-record" not in refused.stderr + refused.stdout:
            screen.fail("without a record", f"exit {refused.returncode}", "refused: no-record")
        screen.line("without a record", "refused")
        attested = project.launchworthy(
            "attest",
            "dist/promotion/report.json",
            *("--endpoint", platform.endpoint),
            *("--identity", platform.identity),
            *("--trust", str(platform.trust)),
            log=screen.log,
        )
        if attested.returncode != 0:
            screen.fail("the platform signs", f"exit {attested.returncode}", "a record")
        built = _build(screen, project, platform)
        if built.returncode != 0 or len(_wheels(project)) != 1:
            screen.fail("with it, for rehearsal", f"exit {built.returncode}", "one wheel")
        [wheel] = _wheels(project)
        screen.line("with it, for rehearsal", wheel.name)
        said = _start_in_production(screen, project, wheel, folder / "promoted")
        if said.get("reason") != "record-for-another-environment" or said.get("stage") != "record":
            screen.fail("that wheel in production", str(said), "not started: its record is for rehearsal")
        screen.line("that wheel in production", "not started: its record is for rehearsal")
        project.edit("manifests/tools.toml", 'scopes    = ["orders:refund"]', 'scopes    = ["orders:read"]')
        wheel.unlink()
        edited = _build(screen, project, platform)
        if (
            edited.returncode == 0
            or _wheels(project)
            or "manifests/tools.toml" not in edited.stderr + edited.stdout
        ):
            screen.fail(
                "after one scope was edited", f"exit {edited.returncode}", "refused: manifests/tools.toml"
            )
        screen.line("after one scope was edited", "refused: manifests/tools.toml")
        project.edit(
            "manifests/tools.toml",
            'scopes    = ["orders:read"]\nacts_on   = "order/',
            'scopes    = ["orders:refund"]\nacts_on   = "order/',
        )


@contextmanager
def _platform(folder: Path) -> Iterator[Platform]:
    import time

    authority = SimulatedAuthority(clock=time.time)
    place = folder / "platform"
    place.mkdir(mode=0o700)
    (place / "roots.pem").write_bytes(authority.bundle_pem())
    identity = authority.spiffe_id("release")
    trust = place / "trust.toml"
    trust.write_text(
        f'[rehearsal]\npromoters = ["{identity}"]\nstamp = "none"\ncatalogue = "0.1"\n\n'
        f'[roots]\n"{authority.trust_domain}" = ["roots.pem"]\n'
    )
    trust.chmod(0o400)
    with WorkloadApi(authority, "release") as api:
        yield Platform(endpoint=api.endpoint, identity=identity, trust=trust)


def _build(screen: Screen, project: DemoProject, platform: Platform):
    return project.run(
        "uv",
        "build",
        "--wheel",
        "--out-dir",
        "dist",
        log=screen.log,
        LAUNCHWORTHY_BUILD="rehearsal",
        LAUNCHWORTHY_TRUST=str(platform.trust),
    )


def _wheels(project: DemoProject) -> list[Path]:
    return sorted((project.root / "dist").glob("*.whl"))


def _start_in_production(screen: Screen, project: DemoProject, wheel: Path, folder: Path) -> dict[str, str]:
    """Install the promoted wheel beside its dependencies and start it in the real world."""
    folder.mkdir()
    packages = folder / "packages"
    project.run("uv", "pip", "install", "--no-deps", "--target", str(packages), str(wheel), log=screen.log)
    server = ServerProcess(
        project.package,
        environment={
            "LAUNCHWORTHY_ENVIRONMENT": "production",
            "LAUNCHWORTHY_AUDIT__DIRECTORY": str(folder / "audit"),
            "PYTHONPATH": str(packages),
        },
        directory=folder,
        readiness_url="http://127.0.0.1:9/readyz",
        python=str(project.python),
    )
    server.start()
    try:
        code = server.wait()
    except TimeoutError:
        return {"reason": "it started"}
    finally:
        server.stop()
    shutil.copy(folder / "stderr.txt", screen.log.with_name("9-production.txt"))
    lines = [line for line in server.stderr.splitlines() if line.startswith("{")]
    said: dict[str, str] = json.loads(lines[0]) if lines else {"reason": server.stderr}
    return said if code == 78 else {"reason": f"exit {code}"}


def _held(output: str) -> list[str]:
    try:
        report = json.loads(output)
    except ValueError:
        return [output.strip()[:200]]
    return [each["control"] for each in report["findings"] if each["status"] in ("fail", "error")]
