"""What is known of the project? Every fact that a check reads, parsed once, and nothing imported."""

import ast
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.x509 import Certificate

from launchworthy.attestation.tree import GitFacts, read_git_facts
from launchworthy.attestation.trust_file import read_trust_policy
from launchworthy.credentials.allowances import check_credentials
from launchworthy.manifest import Manifests, load_manifests
from launchworthy.policy import CompiledPolicy, compile_policy
from launchworthy.policy.case_file import Case, load_cases
from launchworthy.promotion.approvals.book import Book, open_book
from launchworthy.promotion.child import Answer
from launchworthy.promotion.place import Place
from launchworthy.promotion.scanning.texts import Text
from launchworthy.promotion.scanning.tree import read_tree
from launchworthy.promotion.trusted import Trusted, read_trusted
from launchworthy.settings import (
    ProjectFiles,
    Settings,
    bounded_by_class,
    inspect_settings,
    read_project,
    require_tenant_claims,
)
from launchworthy.vocabulary import Environment, Problem, ProblemError

REAL = (Environment.STAGING, Environment.PRODUCTION)
CASES = "tests/policy.toml"


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project as the gate sees it.

    Attributes:
        root: its folder.
        package: its import name.
        files: what the running server would read.
        environment: to be promoted.
        rehearsed: whose settings, policy and manifests count: `production` for `rehearsal`.
        manifests: parsed.
        settings: of `rehearsed`, as the file alone resolves them.
        others: the settings of the other real environment; the problems where they cannot be read.
        policies: compiled, by real environment.
        cases: what the team expects of the policy.
        trusted: what it takes on trust.
        book: which of that is approved.
        roots: by trust domain, as the platform pinned them; none where its trust policy does not count.
        answer: what the code says of itself.
        git: of the working tree; the problem where there is none.
        lock: `launchworthy.lock`, or None.
        python: the interpreter of the project's own environment.
        now: seconds since the epoch.
        environ: what git may get of the environment.
    """

    root: Path
    package: str
    files: ProjectFiles
    environment: Environment
    rehearsed: Environment
    manifests: Manifests
    settings: Settings
    others: Mapping[Environment, Settings | tuple[Problem, ...]]
    policies: Mapping[Environment, CompiledPolicy]
    cases: tuple[Case, ...]
    trusted: Trusted
    book: Book
    roots: Mapping[str, tuple[Certificate, ...]]
    answer: Answer
    git: GitFacts | Problem
    lock: bytes | None
    python: Path
    now: int
    environ: Mapping[str, str]

    @property
    def policy(self) -> CompiledPolicy:
        """The policy of the environment that is rehearsed."""
        return self.policies[self.rehearsed]

    @property
    def version(self) -> str:
        """As pyproject.toml says it; `unbuilt` where only a build would know."""
        return str(self.toml("pyproject.toml").get("project", {}).get("version", "unbuilt"))

    def text(self, path: str) -> str | None:
        """A file of the project as text, or None where it is not there."""
        file = self.root / path
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None

    def toml(self, path: str) -> dict[str, Any]:
        """A TOML file of the project; empty where it is not there.

        Raises:
            tomllib.TOMLDecodeError: it is none.
        """
        return tomllib.loads(self.text(path) or "")

    @cached_property
    def tree(self) -> tuple[Text, ...]:
        """What can be read of every file below the root, tracked by git or not; read once."""
        return tuple(read_tree(self.root, tracked=self._tracked()))

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text below the root with its path; one that is too long is empty."""
        return ((one.path, one.text) for one in self.tree if not one.binary)

    @cached_property
    def modules(self) -> tuple[tuple[str, ast.Module], ...]:
        """The path and the syntax tree of each module of the package; parsed once.

        Raises:
            SyntaxError: a module is no Python; then nothing can be said of any.
        """
        inside = f"src/{self.package}/"
        return tuple(
            (path, ast.parse(text, filename=path))
            for path, text in self.texts()
            if path.startswith(inside) and path.endswith(".py")
        )

    def _tracked(self) -> frozenset[str]:
        """What git tracks below the root."""
        if not isinstance(self.git, GitFacts) or not self.root.is_relative_to(self.git.top):
            return frozenset()
        inside = self.root.relative_to(self.git.top).as_posix()
        prefix = "" if inside == "." else f"{inside}/"
        return frozenset(path.removeprefix(prefix) for path in self.git.tracked if path.startswith(prefix))


def load_project(  # noqa: PLR0913 - what a judgement depends on
    place: Place,
    *,
    environment: Environment,
    python: Path,
    now: int,
    environ: Mapping[str, str],
    trust_file: Path,
    answer: Callable[[], Answer],
) -> Project:
    """Read a project.

    Args:
        place: where it is.
        environment: to be promoted: `staging`, `production`, or `rehearsal` (a wheel for rehearsals only).
        python: the interpreter of the project's own environment.
        now: seconds since the epoch.
        environ: of this process; git gets a little of it.
        trust_file: the platform's, which says who may approve; it need not be here.
        answer: waits for what the code says of itself; called last, so that it may think meanwhile.

    Raises:
        ProblemError: a file cannot be read, or the code cannot be asked.
    """
    rehearsed = Environment.PRODUCTION if environment is Environment.REHEARSAL else environment
    files = read_project(place.root, place.package)
    manifests = load_manifests(files.manifests())
    settings = bounded_by_class(inspect_settings(files, rehearsed), manifests)
    require_tenant_claims(settings, manifests)
    check_credentials(manifests, settings.credentials)
    cases = files.root / CASES
    return Project(
        root=files.root,
        package=place.package,
        files=files,
        environment=environment,
        rehearsed=rehearsed,
        manifests=manifests,
        settings=settings,
        others={each: _settings(files, each) for each in REAL if each is not rehearsed},
        policies={each: compile_policy(manifests, each, files.policy(each)) for each in REAL},
        cases=load_cases(CASES, cases.read_bytes(), manifests) if cases.is_file() else (),
        trusted=read_trusted(files.root),
        book=open_book(files.root, trust_file, environment=environment, now=now),
        roots=pinned_roots(trust_file, environment, files.root),
        git=_git(files.root, environ),
        lock=files.files.get("launchworthy.lock"),
        python=python,
        now=now,
        environ=environ,
        answer=answer(),
    )


def _settings(files: ProjectFiles, environment: Environment) -> Settings | tuple[Problem, ...]:
    try:
        return inspect_settings(files, environment)
    except ProblemError as error:
        return error.problems


def pinned_roots(
    trust_file: Path, environment: Environment, root: Path
) -> Mapping[str, tuple[Certificate, ...]]:
    """The roots of the platform's trust policy; none where it is not there, or not the platform's."""
    try:
        return read_trust_policy(trust_file, environment=environment, outside=root).roots
    except ProblemError:
        return {}


def _git(root: Path, environ: Mapping[str, str]) -> GitFacts | Problem:
    try:
        return read_git_facts(root, environ=environ)
    except ProblemError as error:
        return error.problems[0]
