"""Which project is this, and what may its callers ask for? Read from its files; nothing of it is imported."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedProject:
    """What the simulated world has to know of a project.

    Attributes:
        root: the folder that holds `manifests/server.toml`.
        package: what follows `python -m`.
        name: from `manifests/server.toml`.
        scopes: every scope that a manifest names, sorted.
    """

    __test__ = False

    root: Path
    package: str
    name: str
    scopes: tuple[str, ...]

    @classmethod
    def find(cls, start: Path) -> Self:
        """Read the project at `start` or above it.

        Raises:
            FileNotFoundError: there is none.
        """
        for root in (start, *start.parents):
            if (root / "manifests" / "server.toml").is_file():
                return cls.read(root)
        raise FileNotFoundError(f"no `manifests/server.toml` at {start} or above it")

    @classmethod
    def read(cls, root: Path) -> Self:
        """Read the project at `root`.

        Raises:
            FileNotFoundError: it has no package with a `__main__.py` below `src`, or more than one.
        """
        mains = sorted((root / "src").glob("*/__main__.py"))
        if len(mains) != 1:
            raise FileNotFoundError(f"one package with a `__main__.py` is needed below {root / 'src'}")
        scopes: set[str] = set()
        for path in sorted((root / "manifests").glob("*.toml")):
            scopes |= _scopes(tomllib.loads(path.read_text(encoding="utf-8")))
        server = tomllib.loads((root / "manifests" / "server.toml").read_text(encoding="utf-8"))
        return cls(
            root=root, package=mains[0].parent.name, name=str(server["name"]), scopes=tuple(sorted(scopes))
        )


def _scopes(tables: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for kind in ("tools", "resources", "prompts"):
        for target in tables.get(kind, {}).values():
            found |= set(target.get("scopes", ()))
    return found
