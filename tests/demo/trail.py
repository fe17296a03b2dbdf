"""Step 10: what was recorded, whether it is intact, and what one changed byte does to that."""

import json
import shutil
from pathlib import Path

from project import DemoProject
from screen import Screen

from launchworthy.testing.world import World


def audit_step(screen: Screen, project: DemoProject, world: World) -> None:
    """Verify the trail with the archived roots, then a copy of it in which one byte is another."""
    directory = world.audit_directory
    trust = directory.parent / "archived-roots"
    trust.mkdir()
    (trust / f"{world.authority.trust_domain}.pem").write_bytes(world.authority.bundle_pem())
    with screen.step("audit"):
        records, checkpoints = _count(directory)
        code, said = _verify(screen, project, directory, trust)
        if code != 0 or said["state"] != "intact-sealed":
            screen.fail(f"{records} records", f"{said['state']}, exit {code}", "intact, sealed")
        screen.line(f"{records} records, {checkpoints} checkpoints", "intact, sealed")
        copy = directory.parent / "tampered"
        shutil.copytree(directory, copy)
        number = _change_one_byte(copy)
        code, said = _verify(screen, project, copy, trust)
        damage = next((stream["damage"] for stream in said["streams"] if stream["damage"]), None)
        if code != 1 or said["state"] != "tampered" or damage is None or damage["record"] != number:
            screen.fail(
                f"one byte changed in record {number}", f"{said['state']}, {damage}", "tampered, that record"
            )
        screen.line(f"one byte changed in record {number}", f"tampered: record {damage['record']}")


def _verify(
    screen: Screen, project: DemoProject, directory: Path, trust: Path
) -> tuple[int, dict[str, object]]:
    done = project.launchworthy(
        "audit", "verify", str(directory), "--trust", str(trust), "--format", "json", log=screen.log
    )
    return done.returncode, json.loads(done.stdout)


def _count(directory: Path) -> tuple[int, int]:
    lines = [line for file in sorted(directory.glob("*.jsonl")) for line in file.read_text().splitlines()]
    return len(lines), sum('"type":"launchworthy.stream.checkpoint.v1"' in line for line in lines)


def _change_one_byte(directory: Path) -> int:
    """Make one outcome say something else; returns the number of its record."""
    [file] = directory.glob("*.jsonl")
    lines = file.read_bytes().splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if b'"type":"launchworthy.tool.attempt.v1"' in line)
    lines[number] = lines[number].replace(b'"c-17"', b'"c-18"', 1)
    file.chmod(0o600)
    file.write_bytes(b"".join(lines))
    return number
