"""Does the policy decide as the team expects? `policy test`."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from launchworthy.cli.ending import NO, YES, end, undecided_on_problems
from launchworthy.vocabulary import Environment, Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.policy import CaseResult

app = typer.Typer(help="Try the policy.", no_args_is_help=True)
_PATH = "tests/policy.toml"
_REAL = (Environment.STAGING, Environment.PRODUCTION)


@app.callback()
def policy() -> None:
    """Try the policy against what the team expects of it."""


@app.command()
def test() -> None:
    """Ask each case of tests/policy.toml in staging and production; 1 where one is wrong or missing."""
    from launchworthy.manifest import load_manifests
    from launchworthy.policy import compile_policy, load_cases, run_cases, uncovered
    from launchworthy.promotion.place import find_place
    from launchworthy.settings import read_project

    with undecided_on_problems():
        place = find_place(Path.cwd())
        files = read_project(place.root, place.package)
        manifests = load_manifests(files.manifests())
        policies = {each: compile_policy(manifests, each, files.policy(each)) for each in _REAL}
        cases = load_cases(_PATH, _content(files.root / _PATH), manifests)
    results = run_cases(cases, policies)
    missing = uncovered(cases, manifests, _REAL, path=_PATH)
    for result in results:
        typer.echo(_line(result))
    problems = [*(result.problem() for result in results if not result.passed), *missing]
    for problem in problems:
        typer.echo("\n" + "\n".join(f"  {line}" for line in problem.lines()))
    wrong = len(problems) - len(missing)
    tools = len(manifests.tools())
    typer.echo(
        f"\n {len(results)} answers, {wrong} not as expected · {tools} tools, "
        f"{len(missing)} pairs of tool and environment without their yes or no"
    )
    end(NO if problems else YES)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        what, fix = "is not there, so nobody has said what is expected", ("write the first [[cases]]",)
        raise ProblemError(Problem(reason="no-cases", where=_PATH, what=what, fix=fix)) from None


def _line(result: "CaseResult") -> str:
    case, mark = result.case, "ok   " if result.passed else "WRONG"
    asked = f"{case.target.name} with {' '.join(sorted(case.principal.scopes)) or 'no scope'}"
    line = case.where.rpartition(":")[2]
    return f" {mark} {line:>4}  {result.environment.value:<11} {asked:<48} {' '.join(result.observed)}"
