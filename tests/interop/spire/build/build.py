"""Where are SPIRE's binaries? Named, kept from an earlier run, or built with Go; prints their folder.

It compiles for many minutes, and once: what it made is kept below `.nox/spire-binaries`, by version. First
the plain way is tried, `go install …@VERSION`. Where the Go proxy serves no list of versions, or not the one
client that the plugin for EJBCA needs, the module beside this file is used: it pins SPIRE itself, and puts in
that client's place one that only fails. No scenario uses that plugin.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "v1.15.3"
NAMES = ("spire-server", "spire-agent")
MODULE = Path(__file__).parent
CANNOT = 3


def main(cache: Path) -> int:
    """Find or build; the exit code says whether there is something now."""
    home = cache / VERSION
    if all((home / name).is_file() for name in NAMES):
        sys.stdout.write(f"{home}\n")
        return 0
    if "--cached" in sys.argv:
        return CANNOT
    go = shutil.which("go")
    if go is None:
        say("no Go is here to build SPIRE with, and SPIRE_SERVER_BIN and SPIRE_AGENT_BIN are not set")
        return CANNOT
    making = cache / "making"
    shutil.rmtree(making, ignore_errors=True)
    (making / "bin").mkdir(parents=True)
    say(f"SPIRE {VERSION} is built with Go: this takes many minutes, once")
    if not (plainly(go, making) or by_module(go, making)):
        return 1
    shutil.rmtree(home, ignore_errors=True)
    (making / "bin").rename(home)
    shutil.rmtree(making, ignore_errors=True)
    sys.stdout.write(f"{home}\n")
    return 0


def plainly(go: str, making: Path) -> bool:
    """`go install` of what was released, as anybody would."""
    wanted = [f"github.com/spiffe/spire/cmd/{name}@{VERSION}" for name in NAMES]
    return install(go, making, wanted, where=making)


def by_module(go: str, making: Path) -> bool:
    """From a module of our own, without one plugin."""
    say("not so: building from the module beside this script, without the plugin for EJBCA")
    where = making / "module"
    shutil.copytree(MODULE, where, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    wanted = [f"github.com/spiffe/spire/cmd/{name}" for name in NAMES]
    return install(go, making, wanted, where=where, flags="-mod=mod")


def install(go: str, making: Path, wanted: list[str], *, where: Path, flags: str = "") -> bool:
    """One `go install`; what it compiles is shown as it goes."""
    environment = {**os.environ, "GOBIN": str(making / "bin"), "CGO_ENABLED": "1", "GOFLAGS": flags}
    done = subprocess.run([go, "install", "-v", *wanted], cwd=where, env=environment, stdout=2, check=False)
    return done.returncode == 0


def say(what: str) -> None:
    """Tell a person."""
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
