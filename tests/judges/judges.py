"""Tools of others look at what the template renders: `python3 noxfile.py -s judges`.

Each finding is mended, or its rule has an answer here, which `docs/reference/judges.md` repeats. An answer to
a rule that no longer finds anything is taken out: the run fails for it as well.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import copier
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "judges.md"
ORDERS = yaml.safe_load((ROOT / "examples" / "orders-answers.yml").read_text())
PROJECTS: Mapping[str, Mapping[str, str]] = {
    "spiffe": ORDERS,
    "token-file": ORDERS | {"identity": "file"},
    "no-kubernetes": ORDERS | {"deployment": "none"},
}
DEADLINE = 600
Finding = tuple[str, str]
"""The rule, and where it was broken."""


@dataclass(frozen=True, kw_only=True)
class Judge:
    """One tool.

    Attributes:
        name: what it is called.
        program: what has to be there for it.
        looks_at: what it is given.
        judge: looks at one project, and says what it found.
        answers: the rules whose findings stay, each with the reason.
    """

    name: str
    program: str
    looks_at: str
    judge: Callable[[Path], list[Finding]]
    answers: Mapping[str, str] = field(default_factory=dict)


class Undecided(Exception):
    """A judge that could not be asked; the text says why."""


def zizmor(project: Path) -> list[Finding]:
    """Workflows that can be made to run something else."""
    said = _run("zizmor", "--offline", "--no-progress", "--format=json", project / ".github")
    return [(each["ident"], _workflow(each)) for each in json.loads(said)]


def _workflow(finding: Mapping[str, object]) -> str:
    return str(finding.get("url", ""))


def actionlint(project: Path) -> list[Finding]:
    """Workflows that GitHub would not run as they are meant; with shellcheck for what they run."""
    files = sorted((project / ".github" / "workflows").glob("*.yml"))
    said = _run("actionlint", "-format", "{{json .}}", *files)
    return [
        (each["kind"], f"{Path(each['filepath']).name}: {each['message'][:60]}") for each in json.loads(said)
    ]


def hadolint(project: Path) -> list[Finding]:
    """A Dockerfile as others would have written it."""
    said = _run("hadolint", "--no-color", "--format=json", project / "Dockerfile")
    return [(each["code"], f"Dockerfile:{each['line']}") for each in json.loads(said)]


def checkov_files(project: Path) -> list[Finding]:
    """Dockerfile and workflows."""
    kinds = ("--framework", "dockerfile", "--framework", "github_actions", "--framework", "secrets")
    return _checkov("--directory", str(project), *kinds)


def checkov_kubernetes(project: Path) -> list[Finding]:
    """What Kubernetes is told, as Kustomize builds it."""
    return [
        finding
        for built in _built(project)
        for finding in _checkov("--file", str(built), "--framework", "kubernetes")
    ]


def kubernetes(project: Path) -> list[Finding]:
    """The same, read into the Kubernetes API's own Go types: no unknown field, none misspelt."""
    found: list[Finding] = []
    for built in _built(project):
        done = subprocess.run(
            ["judge-kubernetes"],
            input=built.read_text(),
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE,
        )
        found += [("not-a-manifest", line) for line in (done.stdout + done.stderr).splitlines()]
        assert bool(found) == (done.returncode != 0), done
    return found


def pip_audit(project: Path) -> list[Finding]:
    """Known vulnerabilities of what the framework brings, with every extra of production."""
    listed = project.parent / "requirements.txt"
    versions = [
        "--quiet",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        f"--constraint={ROOT}/constraints.txt",
    ]
    extras = ["--extra=valkey", "--extra=otel", "--extra=sigstore"]
    _run("uv", "pip", "compile", *versions, *extras, f"--output-file={listed}", ROOT / "pyproject.toml")
    said = _run(
        "pip-audit", "--disable-pip", "--progress-spinner=off", "--format=json", f"--requirement={listed}"
    )
    packages = json.loads(said)["dependencies"]
    unknown = [each["name"] for each in packages if "vulns" not in each]
    if unknown:
        raise Undecided(f"the index here tells no advisories, for {len(unknown)} of {len(packages)} packages")
    return [(vulnerable["id"], each["name"]) for each in packages for vulnerable in each["vulns"]]


JUDGES = (
    Judge(name="zizmor", program="zizmor", looks_at="workflows", judge=zizmor),
    Judge(
        name="actionlint",
        program="actionlint",
        looks_at="workflows, and the scripts in them with shellcheck",
        judge=actionlint,
        answers={
            "runner-label": "`promoter` and `builder` are the platform's own runners, the only ones that "
            "hold its identities; no list of GitHub's can know them",
        },
    ),
    Judge(name="hadolint", program="hadolint", looks_at="Dockerfile", judge=hadolint),
    Judge(
        name="checkov",
        program="checkov",
        looks_at="Dockerfile, workflows, secrets",
        judge=checkov_files,
        answers={
            "CKV_DOCKER_2": "Kubernetes ignores HEALTHCHECK and asks /livez and /readyz on a port of their "
            "own; the image has no program that could ask",
        },
    ),
    Judge(
        name="checkov, Kubernetes",
        program="checkov",
        looks_at="deploy and deploy-replicas, built",
        judge=checkov_kubernetes,
        answers={
            "CKV_K8S_11": "a limit of CPU slows a server down while others leave the machine idle; requests "
            "share it fairly, and `rate` and `[limits]` bound what one caller costs",
            "CKV_K8S_15": "images are meant to be named by digest, and the same digest is the same bytes; "
            "`Always` would only stop restarts while the registry is away",
            "CKV_K8S_43": "the digest is the deployment's to write: `images:` of kustomization.yaml says so, "
            "and admission should insist",
        },
    ),
    Judge(
        name="Kubernetes API",
        program="judge-kubernetes",
        looks_at="deploy and deploy-replicas, built, into k8s.io/api's types, strictly",
        judge=kubernetes,
    ),
    Judge(name="pip-audit", program="pip-audit", looks_at="what production installs", judge=pip_audit),
)
OF_KUBERNETES = ("checkov, Kubernetes", "Kubernetes API")
ONCE = ("pip-audit",)


def main() -> int:
    """Render, ask every judge that is here, and say what is left."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true", help="write the page")
    given = options.parse_args()
    rows: list[str] = []
    left: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        projects = {name: _render(Path(folder, name, "project"), data) for name, data in PROJECTS.items()}
        for judge in JUDGES:
            missing = [each for each in _programs(judge) if shutil.which(each) is None]
            if missing:
                say(f"{judge.name}: skipped, {missing[0]} is not here")
                continue
            try:
                found = list(_found(judge, projects))
            except Undecided as error:
                say(f"{judge.name}: skipped, {error}")
                continue
            open_ones = [each for each in found if each[1] not in judge.answers]
            unused = [rule for rule in judge.answers if rule not in {each[1] for each in found}]
            left += [f"{judge.name}: {rule} in {name}: {where}" for name, rule, where in open_ones]
            left += [f"{judge.name}: {rule} has an answer, and finds nothing" for rule in unused]
            rules = {each[1] for each in found}
            answered = len(rules & judge.answers.keys())
            say(f"{judge.name}: {len(found)} findings of {len(rules)} rules, {answered} answered")
            rows.append(f"| {judge.name} | {judge.looks_at} | {len(open_ones)} | {answered} |")
    for line in left:
        say(f"  {line}")
    if given.write:
        PAGE.write_text(_page(rows), encoding="utf-8")
    return 1 if left else 0


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _found(judge: Judge, projects: Mapping[str, Path]) -> Iterator[tuple[str, str, str]]:
    for name, project in projects.items():
        if judge.name in OF_KUBERNETES and name == "no-kubernetes":
            continue
        if judge.name in ONCE and name != "spiffe":
            continue
        for rule, where in judge.judge(project):
            yield name, rule, where


def _programs(judge: Judge) -> tuple[str, ...]:
    return (judge.program, "kubectl") if judge.name in OF_KUBERNETES else (judge.program,)


def _render(target: Path, answers: Mapping[str, str]) -> Path:
    copier.run_copy(str(ROOT), target, data=dict(answers), vcs_ref="HEAD", defaults=True, quiet=True)
    return target


def _built(project: Path) -> list[Path]:
    """Each Kustomize folder, built, beside the project."""
    built: list[Path] = []
    for folder in ("deploy", "deploy-replicas"):
        file = project.parent / f"{folder}.yaml"
        file.write_text(_run("kubectl", "kustomize", project / folder))
        built.append(file)
    return built


def _checkov(*arguments: str) -> list[Finding]:
    said = json.loads(_run("checkov", "--quiet", "--compact", "--skip-download", "--output=json", *arguments))
    reports = said if isinstance(said, list) else [said]
    passed = sum(each.get("summary", {}).get("passed", 0) for each in reports)
    assert passed > 20, f"checkov looked at nothing: {reports}"
    failed = [check for each in reports for check in each.get("results", {}).get("failed_checks", ())]
    return [(each["check_id"], each["resource"]) for each in failed]


def _run(*command: str | Path) -> str:
    """What a judge prints; most end with another code when they found something."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=DEADLINE)
    if not done.stdout.strip() and (done.returncode != 0 or "json" in " ".join(map(str, command))):
        raise RuntimeError(f"{command[0]} said nothing, and ended with {done.returncode}: {done.stderr}")
    return done.stdout


def _page(rows: list[str]) -> str:
    answers = [
        f"* **{rule}** ({judge.name}): {why}." for judge in JUDGES for rule, why in judge.answers.items()
    ]
    return "\n".join(
        [
            "# What judges that are not ours say about a generated project",
            "",
            f"Three renderings ({', '.join(PROJECTS)}), by `python3 noxfile.py -s judges`;",
            "`-- --write` writes this page. A finding is mended, or its rule is answered below.",
            "A judge that is not installed, and cannot be, is skipped, and has no row.",
            "",
            "| judge | looks at | open findings | rules answered |",
            "|---|---|---|---|",
            *rows,
            "",
            "## Answers",
            "",
            *answers,
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
