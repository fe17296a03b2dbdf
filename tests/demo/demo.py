"""The whole project on one screen: a server scaffolded, attacked, promoted, audited; every line checked.

Run by `python3 noxfile.py -s demo`. Ends with 1 if a step does not do what it says, and then keeps the logs
and says where.
"""

import argparse
import json
import secrets
import shutil
import sys
import time
from pathlib import Path

from gate import build_step, check_step, promote_step
from project import DemoProject
from screen import Screen, StepFailedError
from trail import audit_step

import launchworthy
from launchworthy.testing.client import Client, Refused
from launchworthy.testing.process import NotStarted, ServerProcess
from launchworthy.testing.project import TestedProject
from launchworthy.testing.world import World, wait_until
from launchworthy.vocabulary import Environment

ROOT = Path(__file__).resolve().parents[2]
SVID_SECONDS = 4.0
WIPE_ORDERS = '''

@tool
def wipe_orders(call: Call[OrderStore]) -> bool:
    """Forget every order."""
    return True
'''
ORDER = {"customer": "c-17", "item": "teapot", "quantity": 2}


def main() -> int:
    """Play every step; returns the exit code."""
    options = _options()
    folder = ROOT / ".demo"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "log").mkdir(parents=True)
    screen = Screen(folder / "log")
    project = DemoProject(folder / "orders", wheel=options.wheel, constraints=options.constraints)
    screen.title(
        f"launchworthy {launchworthy.__version__}    one MCP server: scaffolded, attacked, promoted, audited"
    )
    began = time.monotonic()
    try:
        _play(screen, project, folder)
    except StepFailedError:
        screen.say("")
        screen.say(
            f"Step {screen.number} did not do what it should. Everything is kept: {_shown(screen.log)}"
        )
        return 1
    except KeyboardInterrupt:
        screen.say("")
        screen.say(f"Interrupted in step {screen.number}; nothing is left running.")
        return 130
    screen.say("")
    screen.say(f"All {screen.number} did what they should.  {time.monotonic() - began:.1f} s")
    screen.say(f"This one:     cd {_shown(project.root)} && python3 noxfile.py -s dev")
    screen.say("One of yours: python3 noxfile.py -s new -- ../my-server")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, required=True, help="the framework's wheel")
    parser.add_argument("--constraints", type=Path, required=True, help="the versions to use")
    return parser.parse_args([each for each in sys.argv[1:] if each != "--"])


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _play(screen: Screen, project: DemoProject, folder: Path) -> None:
    with screen.step("scaffold"):
        files = project.scaffold(ROOT)
        screen.line(f"orders from the template, {files} files, nothing trusted", "")
    screen.say("             its packages are installed, locked with hashes …")
    project.install(folder / "log" / "install.txt")
    tested = TestedProject.read(project.root)
    running = folder / "running"
    running.mkdir()
    with tested.world(
        running,
        environment=Environment.REHEARSAL,
        settings=Environment.PRODUCTION,
        x509_ttl=SVID_SECONDS,
    ) as world:
        server = world.server(project.package, python=str(project.python))
        try:
            _start_step(screen, world, server)
            _call_step(screen, world)
            _refuse_token_step(screen, world)
            _refuse_start_step(screen, project, folder)
            _outage_step(screen, world, server)
        finally:
            server.stop()
            for name in ("stdout.txt", "stderr.txt"):
                if (running / name).exists():
                    shutil.copy(running / name, folder / "log" / f"server-{name}")
    check_step(screen, project)
    with promote_step(screen, project, folder) as promoter:
        build_step(screen, project, folder, promoter)
    audit_step(screen, project, world)


def _start_step(screen: Screen, world: World, server: ServerProcess) -> None:
    with screen.step("start"):
        server.start()
        try:
            server.wait_ready()
        except NotStarted as error:
            screen.log.write_text(error.stderr)
            screen.fail("in environment `rehearsal`", f"exit {error.exit_code}", "a server that is ready")
        [stream] = world.audit_directory.glob("*.jsonl")
        bound = [
            json.loads(line)
            for line in stream.read_text().splitlines()
            if '"launchworthy.stream.bound' in line
        ]
        if not bound or bound[0]["source"] != world.subject:
            screen.fail("its identity", str(bound), world.subject)
        screen.line(f"as {world.subject}, audit stream {stream.stem[-32:][:8]}", "")


def _call_step(screen: Screen, world: World) -> None:
    from sdk_client import call_tool

    with screen.step("call"):
        with world.stranger() as stranger:
            refused = _refusal(screen, "no token", stranger, "place_order", ORDER)
        challenge = refused.challenge or ""
        if refused.status != 401 or "resource_metadata=" not in challenge or "error=" in challenge:
            screen.fail(
                "no token", f"{refused.status}  {challenge}", "401 with resource_metadata and no error"
            )
        screen.line("no token", "401  says where to get one, no error")
        placed = call_tool(world, "place_order", ORDER, now=time.time)
        if placed["status"] != "paid" or world.executions.taken() != 1:
            screen.fail("discovery → token → place_order", str(placed), "one paid order")
        screen.line(
            "discovery → token → place_order",
            f"200  order {placed['order_id']}: {placed['quantity']} × {placed['item']}",
        )


def _refuse_token_step(screen: Screen, world: World) -> None:
    now = int(time.time())
    cases = (
        (
            "token for another audience",
            {"claims": {"aud": "https://probe.invalid/mcp"}},
            "place_order",
            ORDER,
            401,
        ),
        (
            "token expired 61 s ago",
            {"claims": {"iat": now - 361, "exp": now - 61}},
            "place_order",
            ORDER,
            401,
        ),
        (
            "token without orders:refund",
            {},
            "refund_order",
            {"order_id": 1, "reason": "arrived in pieces"},
            403,
        ),
    )
    with screen.step("refuse"):
        passed = 0
        for what, change, tool, arguments, status in cases:
            token = world.token("orders:read", "orders:write", **change)
            with Client(world.url, token) as caller:
                refused = _refusal(screen, what, caller, tool, arguments)
            said = {401: "invalid_token", 403: "insufficient_scope: orders:refund"}[status]
            shown = f"{refused.status}  {refused.reason}" + (
                f": {' '.join(refused.scopes)}" if refused.scopes else ""
            )
            if shown != f"{status}  {said}" or f'error="{said.split(":")[0]}"' not in (
                refused.challenge or ""
            ):
                screen.fail(what, shown, f"{status} {said}")
            if world.executions.taken() != 0:
                screen.fail(what, "a tool ran", "none")
            screen.line(what, shown)
            with world.client("orders:read", "orders:write", "orders:refund", approve=True) as twin:
                twin.call(tool, **arguments)
            passed += world.executions.taken()
        if passed != len(cases):
            screen.fail("their unchanged twins", f"{passed} ran", f"{len(cases)}")
        screen.line("3 refused, 0 tools run; each one's unchanged twin passed", "")


def _refuse_start_step(screen: Screen, project: DemoProject, folder: Path) -> None:
    secret = f"sk_live_{secrets.token_hex(16)}"
    with screen.step("refuse"):
        _not_started(
            screen,
            project,
            folder / "secret",
            what="a secret in production.toml",
            path="config/production.toml",
            addition=f'\n[credentials.ledger]\ntoken = "{secret}"\n',
            expected=("secret-by-value", "credentials.ledger.token"),
            hidden=secret,
        )
        _not_started(
            screen,
            project,
            folder / "undeclared",
            what="a tool that no manifest declares",
            path=f"src/{project.package}/tools.py",
            addition=WIPE_ORDERS,
            expected=("tool-without-manifest", "wipe_orders"),
            hidden=None,
        )


def _not_started(
    screen: Screen,
    project: DemoProject,
    folder: Path,
    *,
    what: str,
    path: str,
    addition: str,
    expected: tuple[str, str],
    hidden: str | None,
) -> None:
    folder.mkdir()
    file = project.root / path
    before = file.read_text()
    tested = TestedProject.read(project.root)
    file.write_text(before + addition)
    try:
        with tested.world(
            folder,
            environment=Environment.REHEARSAL,
            settings=Environment.PRODUCTION,
        ) as world:
            server = world.server(project.package, python=str(project.python))
            server.start()
            try:
                code = server.wait()
            except TimeoutError:
                code = None
    finally:
        file.write_text(before)
    screen.log.write_text(server.stderr)
    reason, name = expected
    said = json.loads(server.stderr.splitlines()[0]) if server.stderr.startswith("{") else {}
    if code != 78 or said.get("reason") != reason or name not in f"{said.get('field')} {said.get('what')}":
        screen.fail(what, f"exit {code}, {said.get('reason')}", f"exit 78, {reason}, naming {name}")
    if hidden is not None and hidden in server.stderr + server.stdout + _all_text(folder):
        screen.fail(what, "its value was shown", "its field only")
    screen.line(what, f"not started: {name}")


def _outage_step(screen: Screen, world: World, server: ServerProcess) -> None:
    pid = server.pid
    with screen.step("outage"):
        with world.workload_api.outage(), world.client("orders:read") as caller:
            wait_until(lambda: _status(caller) == 503, timeout=4 * SVID_SECONDS, what="a 503")
            refused = _refusal(screen, "workload API gone", caller, "find_orders", {"customer": "c-17"})
            status, ready = server.readiness()
            reasons = ready["reasons"]
            if (
                (refused.status, status) != (503, 503)
                or refused.retry_after is None
                or "identity.expired" not in reasons
            ):
                screen.fail(
                    "workload API gone, identity over",
                    f"{refused.status}, {reasons}",
                    "503, identity.expired",
                )
            screen.line(
                "workload API gone, identity over",
                f"503  Retry-After: {refused.retry_after}, not ready: {', '.join(reasons)}",
            )
        with world.client("orders:read") as caller:
            took = wait_until(lambda: _status(caller) == 200, timeout=10, what="a 200")
        if not server.running or server.pid != pid:
            screen.fail("workload API back", "the server restarted", "the same process")
        screen.line("workload API back", f"200  after {took:.1f} s, without a restart")


def _refusal(screen: Screen, what: str, caller: Client, tool: str, arguments: dict[str, object]) -> Refused:
    try:
        caller.call(tool, **arguments)
    except Refused as refused:
        return refused
    screen.fail(what, "200", "a refusal")
    raise AssertionError("unreachable")


def _status(caller: Client) -> int:
    return caller.send("tools/call", {"name": "find_orders", "arguments": {"customer": "c-17"}}).status_code


def _all_text(folder: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
