"""Second judges, where they are installed: their no holds the promotion, their yes proves nothing.

A judge that could not connect, or saw other tools than are declared, has judged nothing: that is an error.
The token is added by something that stands between, so that no command line shows it.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from launchworthy.audit.sanitiser import sanitise
from launchworthy.manifest import TargetKind, Visibility
from launchworthy.promotion.finding import Assertion, ControlId
from launchworthy.promotion.judges import conformance, kingfisher, mcp_scanner
from launchworthy.promotion.judges.installed import JUDGES, installed
from launchworthy.promotion.judges.program import failed
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.seen import Seen, good, saw, twin
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.promotion.rehearsals.targets import declared
from launchworthy.testing.proxy import Change, Passing, SimulatedProxy
from launchworthy.vocabulary import Problem, ProblemError

META_02 = "META-02"


@registry.rehearsal(META_02)
def others_judge(stage: Stage) -> Iterator[Seen]:
    """Every judge that is here, on the server with all scopes, and on the committed tree."""
    found = installed()
    missing = [name for name in JUDGES if name not in found]
    if missing and stage.project.settings.promotion.judges:
        what = f"the settings require every judge, and {', '.join(missing)} is not installed here"
        fix = ("install what [promotion] judges = true requires: docs/guides/judges.md",)
        raise ProblemError(Problem(reason="judge-missing", what=what, fix=fix))
    if not found:
        return
    with stage.scene() as scene:
        yield twin(META_02, good(scene.prober))
        with SimulatedProxy(scene.world.url, tls=scene.world.tls, change=_with_token(scene)) as shim:
            url = f"{shim.url}{urlsplit(scene.world.url).path}"
            if mcp_scanner.NAME in found:
                yield from _scanned(stage, scene, found[mcp_scanner.NAME], url)
            if conformance.NAME in found:
                yield from _conforms(stage, found[conformance.NAME], url)
    if kingfisher.NAME in found:
        yield from _searched(stage, found[kingfisher.NAME])


def _with_token(scene: Scene) -> Change:
    """Add a token, and name the server where the judge names what stands between; other names stay theirs."""
    parts = urlsplit(scene.world.url)
    token = scene.world.token(*scene.world.scopes).reveal()

    def change(passing: Passing) -> Passing:
        for name, value in (("Host", parts.netloc), ("Origin", f"{parts.scheme}://{parts.netloc}")):
            if any(_is_between(each) for each in passing.values(name)):
                passing = passing.instead(name, value)
        return passing.instead("Authorization", f"Bearer {token}")

    return change


def _is_between(named: str) -> bool:
    host = urlsplit(named if "//" in named else f"//{named}").hostname
    return host in {"127.0.0.1", "localhost"}


def _tools(stage: Stage, *, way_back: bool) -> frozenset[str]:
    """What is listed for a caller with every scope; without a way back, nothing that asks a person."""
    return frozenset(
        target.name
        for target in declared(stage.project)
        if target.kind is TargetKind.TOOL
        and target.visibility is Visibility.SCOPED
        and (way_back or target.approval is None)
    )


def _saw_all(stage: Stage, name: str, tools: frozenset[str]) -> Seen:
    """See that a judge has looked at every tool.

    Raises:
        ProblemError: `judge-failed`: it has not.
    """
    expected = {_tools(stage, way_back=True), _tools(stage, way_back=False)}
    most = max(expected, key=len)
    if tools not in expected:
        raise failed(
            name, f"saw {len(tools)} tools, and {len(most)} are declared: it has judged something else"
        )
    shown = "" if tools == most else f" that are shown where nobody can be asked, of {len(most)}"
    return saw(META_02, True, f"{name} saw every one of {len(tools)} tools{shown}", "")


def _scanned(stage: Stage, scene: Scene, program: Path, url: str) -> Iterator[Seen]:
    folder = stage.scratch("judge")
    tools, held = mcp_scanner.tool_findings(program, url, folder=folder)
    yield _saw_all(stage, mcp_scanner.NAME, tools)
    if scene.world.tls is None:  # it has no certificate to show
        held += tuple(mcp_scanner.protocol_findings(program, scene.world.url, folder=folder, simulated=True))
    yield from _agrees(mcp_scanner.NAME, held, "nothing against the tools or the protocol")


def _conforms(stage: Stage, program: Path, url: str) -> Iterator[Seen]:
    folder = stage.scratch("judge")
    for scenario in conformance.SCENARIOS:
        wrong, tools, succeeded = conformance.scenario_findings(program, url, scenario, folder=folder)
        if tools is not None:
            yield _saw_all(stage, conformance.NAME, tools)
        if succeeded == 0 and not wrong:
            raise failed(conformance.NAME, f"looked at nothing in `{scenario}`")
        yield from _agrees(f"{conformance.NAME} {scenario}", wrong, f"{succeeded} checks succeed")


def _agrees(name: str, held: tuple[str, ...], good_word: str) -> Iterator[Seen]:
    for each in held:
        yield saw(META_02, False, "", f"{name}: {sanitise(each)}")
    if not held:
        yield saw(META_02, True, f"{name}: {good_word}", "")


def _searched(stage: Stage, program: Path) -> Iterator[Seen]:
    tree = stage.scratch("tree")
    count = 0
    for text in stage.project.tree:
        source = stage.project.root / text.path
        if source.is_file() and not source.is_symlink():
            target = tree / text.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            count += 1
    folder = stage.scratch("judge")
    found = tuple(kingfisher.secrets_found(program, tree, files=count, folder=folder))
    for path, line, rule in found:
        what = f"{kingfisher.NAME}: {sanitise(rule)}"
        fix = ("rotate it, take it out, and record it in promotion.toml",)
        where = f"{sanitise(path)}:{line}"
        yield ControlId(META_02), Assertion(holds=False, what=what, where=where, fix=fix)
    if not found:
        yield saw(META_02, True, f"{kingfisher.NAME}: no secret in {count} files", "")
