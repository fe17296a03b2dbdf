"""Let coverage find the bytes that nobody thought of.

    python tests/fuzz/run.py [TARGET ...] [--seconds N] [--reproduce FILE]

Every target runs in a process of its own for its share of the seconds, from the seeds of the vectors and from
what earlier runs found (`.fuzz/<target>/corpus`). What crashes is kept in `.fuzz/<target>/`, and
`--reproduce` runs it again. Exit code 0: nothing crashed · 1: something did · 2: atheris is not installed.
"""

import argparse
import hashlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".fuzz"
MAX_BYTES = 16 * 1024


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("target", nargs="*", help="all of them unless named")
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--reproduce", type=Path, metavar="FILE")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if find_spec("atheris") is None:
        say("atheris is not installed, so nothing is fuzzed; it has wheels for Linux and a few Pythons")
        return 2
    if given.one:
        return fuzz_one(given.target[0], given.seconds)
    if given.reproduce is not None:
        return reproduce(given.target, given.reproduce)
    return fuzz_all(given.target, given.seconds)


def fuzz_all(names: list[str], seconds: int) -> int:
    """Fuzz one target after the other; crashes of one do not keep the others from their turn."""
    from fuzz_targets import TARGETS

    names = names or list(TARGETS)
    share = max(1, seconds // len(names))
    crashed = []
    for name in names:
        seed(name, list(TARGETS[name].seeds()))
        command = [sys.executable, __file__, name, "--one", "--seconds", str(share)]
        ended = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
        lines = ended.stderr.splitlines()
        runs = next((line for line in reversed(lines) if line.startswith("Done ")), "")
        if ended.returncode == 0:
            say(f"{name:10} {runs or 'done'}")
        else:
            crashed.append(name)
            told = [line for line in lines if not line.startswith(("#", "INFO"))]
            say(f"{name:10} CRASHED\n" + "\n".join(told[-40:]))
    if crashed:
        say(f"crashed: {', '.join(crashed)}; run.py TARGET --reproduce .fuzz/<target>/crash-…")
    return 1 if crashed else 0


def seed(name: str, seeds: list[bytes]) -> None:
    """Put the seeds into the corpus, each once."""
    corpus = PLACE / name / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for data in seeds:
        if len(data) <= MAX_BYTES:
            (corpus / f"seed-{hashlib.sha256(data).hexdigest()[:16]}").write_bytes(data)


def fuzz_one(name: str, seconds: int) -> int:
    """Fuzz in this process; libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["launchworthy"]):
        from fuzz_targets import TARGETS

    where = PLACE / name
    limits = [f"-max_total_time={seconds}", f"-max_len={MAX_BYTES}", "-timeout=20", "-rss_limit_mb=2048"]
    arguments = [
        sys.argv[0],
        *limits,
        f"-artifact_prefix={where}/",
        "-print_final_stats=0",
        f"{where}/corpus",
    ]
    atheris.Setup(arguments, TARGETS[name].run)
    atheris.Fuzz()
    return 0


def reproduce(names: list[str], file: Path) -> int:
    """Run a target on a file that crashed it; without atheris' part, so that a debugger is welcome."""
    from fuzz_targets import TARGETS

    if len(names) != 1:
        say("which target?")
        return 2
    TARGETS[names[0]].run(file.read_bytes())
    say("it does not crash any more")
    return 0


def say(text: str) -> None:
    """To the terminal, at once."""
    print(text, flush=True)  # noqa: T201 - the result of the run


if __name__ == "__main__":
    sys.exit(main())
