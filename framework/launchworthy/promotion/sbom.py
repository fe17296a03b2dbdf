"""What is in the wheel's environment? A bill of materials, made of `uv.lock` alone: CycloneDX 1.6.

It lists what production installs: the project, and all that its dependencies lead to; never what only tests
or tools need. The same lock and the same wheel give the same bytes, so whoever signs makes it again instead
of believing one, and a record can name its digest. It says neither when nor by whom: the record does.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from launchworthy.vocabulary import Problem, ProblemError

NAME: Final = "sbom.cdx.json"
_OWN: Final = frozenset({"editable", "virtual", "directory"})
"""Sources of a project that lies in a folder of its own."""
_WHEEL: Final = "launchworthy:wheel-content-sha256"


def render_sbom(uv_lock: bytes, *, wheel_digest: str) -> bytes:
    """The bill of materials of one wheel.

    Args:
        uv_lock: the lock; the project is the one package in it that comes from its own folder.
        wheel_digest: content digest of the project's wheel.

    Raises:
        ProblemError: `lock-without-project`: the lock is none, or of no project.
    """
    project, components = _components(uv_lock)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "serialNumber": _serial(uv_lock, wheel_digest),
        "metadata": {
            "component": {
                **_named(project, "application"),
                "properties": [{"name": _WHEEL, "value": wheel_digest}],
            }
        },
        "components": [_component(each) for each in components],
        "dependencies": [{"ref": _purl(project), "dependsOn": [_purl(each) for each in components]}],
    }
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode("ascii")


def unhashed(uv_lock: bytes) -> tuple[str, ...]:
    """The names of what production installs and the lock has no hash for.

    Raises:
        ProblemError: `lock-without-project`.
    """
    _, components = _components(uv_lock)
    return tuple(each["name"] for each in components if not tuple(_hashes(each)))


def component_count(uv_lock: bytes) -> int:
    """How many distributions production installs beside the project.

    Raises:
        ProblemError: `lock-without-project`.
    """
    return len(_components(uv_lock)[1])


def _components(uv_lock: bytes) -> tuple[Mapping[str, Any], tuple[Mapping[str, Any], ...]]:
    """The project, and everything that its dependencies lead to, by name and version."""
    try:
        packages = tomllib.loads(uv_lock.decode("utf-8"))["package"]
        by_name: dict[str, list[Mapping[str, Any]]] = {}
        for package in packages:
            by_name.setdefault(package["name"], []).append(package)
        [project] = [each for each in packages if _OWN & each["source"].keys()]
        found = _reached(project, by_name)
    except (ValueError, KeyError, TypeError, AttributeError):
        what, fix = "is no lock of one project", ("uv lock, and commit it",)
        raise ProblemError(
            Problem(reason="lock-without-project", where="uv.lock", what=what, fix=fix)
        ) from None
    return project, tuple(found[key] for key in sorted(found) if found[key] is not project)


def _reached(
    project: Mapping[str, Any], by_name: Mapping[str, list[Mapping[str, Any]]]
) -> dict[tuple[str, str], Mapping[str, Any]]:
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    seen: set[tuple[str, str, str]] = set()
    waiting: list[tuple[Mapping[str, Any], str]] = [(project, "")]
    while waiting:
        package, extra = waiting.pop()
        key = (package["name"], package.get("version", ""))
        if (*key, extra) in seen:
            continue
        seen.add((*key, extra))
        found[key] = package
        wanted = package.get("optional-dependencies", {}).get(extra, ()) if extra else ()
        for each in (*package.get("dependencies", ()), *wanted):
            for target in by_name[each["name"]]:
                if each.get("version", target.get("version")) == target.get("version"):
                    waiting += [(target, name) for name in ("", *each.get("extra", ()))]
    return found


def _component(package: Mapping[str, Any]) -> dict[str, Any]:
    hashes = sorted(set(_hashes(package)))
    return {
        **_named(package, "library"),
        "hashes": [{"alg": algorithm, "content": content} for algorithm, content in hashes],
    }


def _named(package: Mapping[str, Any], kind: str) -> dict[str, Any]:
    version = package.get("version", "0")
    return {
        "type": kind, "name": package["name"], "version": version,
        "purl": _purl(package), "bom-ref": _purl(package),
    }  # fmt: skip


def _purl(package: Mapping[str, Any]) -> str:
    return f"pkg:pypi/{quote(package['name'])}@{quote(str(package.get('version', '0')))}"


def _hashes(package: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Of every file of it that the lock allows to be installed."""
    files: Iterable[Mapping[str, Any]] = (
        *package.get("wheels", ()),
        *([package["sdist"]] if "sdist" in package else []),
    )
    for file in files:
        algorithm, _, content = str(file.get("hash", "")).partition(":")
        if algorithm.startswith("sha") and content:
            yield f"SHA-{algorithm.removeprefix('sha')}", content


def _serial(uv_lock: bytes, wheel_digest: str) -> str:
    """A name of this bill that follows from what it is made of (RFC 9562 §5.8)."""
    digest = hashlib.sha256(hashlib.sha256(uv_lock).digest() + wheel_digest.encode("ascii")).hexdigest()
    return f"urn:uuid:{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
