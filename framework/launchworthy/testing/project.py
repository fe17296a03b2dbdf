"""Which project is this, and what may its callers ask for? Read from its files; nothing of it is imported."""

import importlib.util
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from launchworthy.manifest import EXAMPLE_TENANT, ApprovalRule, ToolTable, approval_rule, parse_duration
from launchworthy.testing.approval_place import ApprovalPlace
from launchworthy.testing.callers_tenant import CLAIM, CallersTenant
from launchworthy.testing.lending import SimulatedCredential, joined
from launchworthy.testing.project_root import project_root
from launchworthy.testing.world import CALLERS, World

_SIGN_IN: Final = "developer"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedProject:
    """What the simulated world has to know of a project.

    Attributes:
        root: the folder that holds `manifests/server.toml`.
        package: what follows `python -m`.
        name: from `manifests/server.toml`.
        scopes: every scope that a manifest names, sorted.
        credentials: what its manifests borrow, from whom its settings say.
        tenant: whose the callers are; None where the server has one tenant.
        rules: who must approve calls, one for each tool that asks somebody.
        sandboxes: the names of those that development borrows by the developer's own sign-in.
    """

    __test__ = False

    root: Path
    package: str
    name: str
    scopes: tuple[str, ...]
    credentials: tuple[SimulatedCredential, ...]
    tenant: CallersTenant | None
    rules: tuple[ApprovalRule, ...]
    sandboxes: frozenset[str]

    @classmethod
    def find(cls, start: Path) -> Self:
        """Read the project at `start` or above it.

        Raises:
            FileNotFoundError: there is none.
        """
        return cls.read(project_root(start))

    @classmethod
    def read(cls, root: Path) -> Self:
        """Read the project at `root`.

        Raises:
            FileNotFoundError: it has no package with a `__main__.py` below `src`, or more than one.
        """
        mains = sorted((root / "src").glob("*/__main__.py"))
        if len(mains) != 1:
            raise FileNotFoundError(f"one package with a `__main__.py` is needed below {root / 'src'}")
        manifests = [_tables(path) for path in sorted((root / "manifests").glob("*.toml"))]
        targets = [target for tables in manifests for target in _targets(tables)]
        return cls(
            root=root,
            package=mains[0].parent.name,
            name=str(_tables(root / "manifests" / "server.toml")["name"]),
            scopes=tuple(sorted({scope for target in targets for scope in target.get("scopes", ())})),
            credentials=_credentials(targets, root),
            tenant=_tenant(_tables(root / "manifests" / "server.toml"), targets),
            rules=_rules(manifests),
            sandboxes=frozenset(
                name
                for name, table in _lent(root / "config" / "development.toml").items()
                if table.get("broker") == _SIGN_IN
            ),
        )

    def world(self, directory: Path, *, sandboxes: bool = False, **options: Any) -> World:
        """A world of this project that is not entered yet.

        Args:
            directory: an existing folder of its own.
            sandboxes: whether somebody is there who signs in at them; without, they are simulated too.
            options: as in `World`.
        """
        left = self.sandboxes if sandboxes else frozenset[str]()
        known = {
            "name": self.name,
            "scopes": self.scopes,
            "credentials": tuple(each for each in self.credentials if each.name not in left),
            "upstream_apps": upstream_apps(self.root) if self.credentials else {},
            "tenant": self.tenant,
            "approval": ApprovalPlace.simulated(CALLERS, self.rules),
        }
        return World(directory, **{**known, **options})


def upstream_apps(root: Path) -> Mapping[str, Any]:
    """The team's own applications in `tests/upstreams.py`, by name; `-` is `_` there."""
    path = root / "tests" / "upstreams.py"
    if not path.is_file():
        return {}
    spec = importlib.util.spec_from_file_location(f"launchworthy_upstreams_{abs(hash(str(path)))}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    apps = {name: app for name, app in vars(module).items() if callable(app) and not name.startswith("_")}
    return apps | {name.replace("_", "-"): app for name, app in apps.items()}


def _tenant(server: Mapping[str, Any], targets: list[dict[str, Any]]) -> CallersTenant | None:
    """The tenant of the examples, where the server has several."""
    data = server.get("data", {})
    if not isinstance(data, dict) or data.get("tenancy") != "multi":
        return None
    named = (each.get("example", {}).get(each.get("tenant_argument")) for each in targets)
    tenant = next((str(name) for name in named if name is not None), EXAMPLE_TENANT)
    return CallersTenant(tenant=tenant, claims={CALLERS: CLAIM})


def _targets(tables: dict[str, Any]) -> list[dict[str, Any]]:
    found = [tables.get(kind, {}) for kind in ("tools", "resources", "prompts")]
    return [target for kind in found for target in kind.values()]


def rule_of(tool: Mapping[str, Any]) -> ApprovalRule | None:
    """Who must approve calls of a tool, by its table; of one that is none, its server says why."""
    try:
        said = ToolTable.model_validate_json(json.dumps(tool, default=str))
    except ValueError:
        return None
    return approval_rule(said.approval, destructive=tool.get("effect") == "destructive")


def _rules(manifests: list[dict[str, Any]]) -> tuple[ApprovalRule, ...]:
    """Who must approve calls, for each tool that asks somebody."""
    found = [rule_of(tool) for tables in manifests for tool in tables.get("tools", {}).values()]
    return tuple(rule for rule in found if rule is not None)


def _credentials(targets: list[dict[str, Any]], root: Path) -> tuple[SimulatedCredential, ...]:
    """What the manifests borrow; the broker is that of production, or of another environment that has one."""
    lent = [_lent(root / "config" / f"{name}.toml") for name in ("production", "staging", "development")]
    found: dict[str, SimulatedCredential] = {}
    for target in targets:
        for name, allowed in target.get("credentials", {}).items():
            named = (tables[name] for tables in lent if name in tables)
            table: dict[str, Any] = next((each for each in named if each.get("broker") != _SIGN_IN), {})
            found[name] = joined(
                found.get(name),
                SimulatedCredential(
                    name=name,
                    broker=str(table.get("broker", "token-exchange")),
                    scopes=tuple(allowed.get("scopes", ())),
                    ttl=int(parse_duration(allowed["ttl"])),
                    fields=frozenset(table),
                    login=str(table.get("login", "jwt")),
                ),
            )
    return tuple(found.values())


def _lent(path: Path) -> dict[str, Any]:
    """`[credentials]` of a settings file; one that cannot be read lends nothing, and its server says why."""
    try:
        lent = _tables(path).get("credentials", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}
    return {name: table for name, table in lent.items() if isinstance(table, dict)}


def _tables(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
