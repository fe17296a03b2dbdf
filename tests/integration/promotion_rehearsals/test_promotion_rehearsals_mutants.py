"""Break the installed runtime in one place, and see the gate hold exactly the control that is about it."""

from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from promoted_orders import PromotedOrders, environ

from launchworthy.cli.check import open_project
from launchworthy.promotion.building import build_and_install
from launchworthy.promotion.finding import ControlId
from launchworthy.promotion.project import Project
from launchworthy.promotion.rehearsals.engine import run_rehearsals
from launchworthy.vocabulary import Environment

pytestmark = pytest.mark.slow

NEIGHBOURS = frozenset({"TOK-02", "TOK-03", "TOK-04", "TOK-05", "TOK-06", "TOK-07", "AZ-02", "AUD-01"})
"""What is asked beside the control that must fail: they must not."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One check of the runtime, broken; where two layers make it, in both."""

    control: str
    edits: tuple[tuple[str, str, str], ...]


_OR_THE_LAST = (
    "        try:\n            lease = LAST[name] = await self._asked(request)\n"
    "        except CredentialUnavailable:\n            lease = LAST[name]\n"
)
_KEEP_THE_LAST = "    _SEALED_TOKENS[sealed] = token\n    LAST[:] = [token]\n"
_PASS_IT_ON = (
    "        from launchworthy.credentials.sealed import LAST\n"
    '        request.headers["x-forwarded-authorization"] = LAST[0].reveal()\n'
    "        return await self._host.send("
)
MUTANTS = (
    Mutant(
        control="TOK-04",
        edits=(
            (
                "tokens/claims.py",
                "    if isinstance(value, str) and value in (expected.audience, expected.other_audience):\n",
                "    if expected:\n",
            ),
        ),
    ),
    Mutant(
        control="TOK-05",
        edits=(("tokens/claims.py", "    if expires <= now - expected.leeway:\n", "    if expires <= 0:\n"),),
    ),
    Mutant(
        control="AZ-02",
        edits=(
            (
                "enforcement/calls.py",
                "        if not principal.scopes.issuperset(asked.target.scopes):\n",
                "        if not asked.target.scopes:\n",
            ),
            (
                "manifest/scopes.py",
                "    return tuple(scope for scope in target.scopes if scope not in granted)\n",
                "    return ()\n",
            ),
        ),
    ),
    Mutant(
        control="AUD-01",
        edits=(
            (
                "enforcement/recorded_run.py",
                "            self._audit.record(event, subject=subject)\n            return\n",
                "            return\n",
            ),
        ),
    ),
    Mutant(
        control="ID-06",  # the caller's token goes to every upstream, in a header of its own
        edits=(
            ("credentials/sealed.py", "def unseal(", "LAST = []\n\n\ndef unseal("),
            ("credentials/sealed.py", "    _SEALED_TOKENS[sealed] = token\n", _KEEP_THE_LAST),
            ("credentials/upstream.py", "        return await self._host.send(", _PASS_IT_ON),
        ),
    ),
    Mutant(
        control="KEY-07",  # one slash more or less does not matter
        edits=(
            (
                "tokens/discovery.py",
                '    if metadata.get("issuer") != issuer:\n',
                '    if str(metadata.get("issuer")).rstrip("/") != issuer.rstrip("/"):\n',
            ),
        ),
    ),
    Mutant(
        control="KEY-07",  # keys are taken from wherever the metadata say
        edits=(("tokens/discovery.py", "    if not endpoint.same_host(own):\n", "    if own is None:\n"),),
    ),
    Mutant(
        control="SEC-05",
        edits=(
            (
                "credentials/custody.py",
                "        failure = await self._revoke(lent, attempts=1)\n",
                "        failure = None\n",
            ),
        ),
    ),
    Mutant(
        control="SEC-06",  # what was lent last is used on while the broker is away
        edits=(
            ("credentials/call_credentials.py", "ISSUE_SECONDS = 5.0\n", "ISSUE_SECONDS = 5.0\nLAST = {}\n"),
            (
                "credentials/call_credentials.py",
                "        lease = await self._asked(request)\n",
                _OR_THE_LAST,
            ),
        ),
    ),
    Mutant(
        control="TR-04",  # one limit for all callers
        edits=(
            (
                "state/limits.py",
                "        return (self._tenant_of(principal), *principal.key)\n",
                '        return ("",)\n',
            ),
        ),
    ),
    Mutant(
        control="GOV-05",  # the list is read at start, and never again
        edits=(("server/control.py", '    parts.keep(control.keep(), "control")\n', ""),),
    ),
    Mutant(
        control="SEC-07",  # whoever is on the machine may read the key
        edits=(
            (
                "settings/key_ring.py",
                "    elif found.st_mode & _OPEN_TO_OTHERS:\n",
                "    elif not found.st_mode:\n",
            ),
        ),
    ),
    Mutant(
        control="TL-05",  # the call is answered, and its thread goes on
        edits=(
            (
                "enforcement/bodies.py",
                "        if passage.over:\n            raise _NobodyWaits\n",
                "",
            ),
        ),
    ),
    Mutant(
        control="ID-03",
        edits=(("identity/phase.py", "    if now >= holding.ends_at:\n        return Phase.EXPIRED\n", ""),),
    ),
)


@pytest.fixture(scope="session")
def project(orders: PromotedOrders) -> Project:
    with chdir(orders.root):
        return open_project(Environment.REHEARSAL, None, trust=orders.root / "no-trust.toml")


@pytest.fixture(scope="session")
def runtime(project: Project) -> Path:
    """The framework as it is installed where rehearsals run."""
    built = build_and_install(project.root, python=project.python, environ=environ())
    [installed] = built.python.parents[1].glob("lib/*/site-packages/launchworthy")
    return installed


@contextmanager
def broken(runtime: Path, mutant: Mutant) -> Iterator[None]:
    """Other files in their place: the old ones may be hard links into a cache."""
    with ExitStack() as stack:
        for path, before, after in mutant.edits:
            file = runtime / path
            good = file.read_text()
            assert good.count(before) == 1
            file.unlink()
            file.write_text(good.replace(before, after))
            stack.callback(file.write_text, good)
        yield


def held(project: Project, *wanted: str) -> set[str]:
    """Which of these controls do not hold; none may be undecided."""
    rehearsed = run_rehearsals(project, frozenset(map(ControlId, wanted)), lambda *_: None)
    assert rehearsed.errors == {}
    failing = {
        control
        for control, assertions in rehearsed.assertions.items()
        if not all(assertion.holds for assertion in assertions)
    }
    return {str(control) for control in failing}


def test_the_runtime_as_it_is_holds_everything(project: Project, runtime: Path) -> None:
    assert runtime.is_dir()
    assert held(project, *NEIGHBOURS) == set()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.control)
def test_a_broken_runtime_is_held_by_its_own_control_alone(
    project: Project, runtime: Path, mutant: Mutant
) -> None:
    others = NEIGHBOURS if mutant.control in NEIGHBOURS else frozenset({"TR-02"})
    with broken(runtime, mutant):
        assert held(project, mutant.control, *others) == {mutant.control}
