"""Is what lies around an installed package what was locked, and nothing that would run before the gate?

The promoted wheel carries `uv.lock`. Everything that Python could import here is compared with it:
1. every installed distribution is locked, in one of the versions that the lock has for its name;
2. whatever lies beside the packages was brought by one of them: no module or package without a distribution,
   no `.pth`, `sitecustomize` or `usercustomize` that would run before the first line of the server;
3. nothing else on the import path holds a module;
4. the framework's files are those that its own wheel listed, none is missing, and no other lies among them.
What this cannot see: whether a dependency's file is what its index gave away (installing with hashes is for
that), whether the bytecode in `__pycache__` was made of the source beside it (it has run when somebody could
ask), and an environment maker's own `_virtualenv.py`, which belongs to whoever made the environment.
"""

import base64
import csv
import hashlib
import re
import sys
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NoReturn

from launchworthy.attestation.project_files import DIRECTORY, UV_LOCK
from launchworthy.vocabulary import Problem, ProblemError

FRAMEWORK: Final = "launchworthy"
_MAKERS_OWN: Final = frozenset({"_virtualenv.pth", "_virtualenv.py"})
_INSTALLER: Final = frozenset({"pip"})
_RUNS: Final = (".py", ".pyc", ".so", ".pyd", ".pth", ".egg-link", ".zip")
_LIMIT: Final = 32 * 1024 * 1024
_NUMBER: Final = re.compile(r"(?<![0-9])0+(?=[0-9])")
_SPELLINGS: Final = (("alpha", "a"), ("beta", "b"), ("preview", "rc"), ("pre", "rc"), ("rev", "post"))


def require_locked_installation(site: Path, uv_lock: bytes, import_path: Iterable[str]) -> None:
    """See that what can be imported beside a package is locked (rules 1 to 4).

    Args:
        site: the directory that the package was installed into.
        uv_lock: the lock that the package carries.
        import_path: `sys.path` of the process that is to run.

    Raises:
        ProblemError: `installed-not-locked` or `installation-changed`, and the file or the distribution.
    """
    locked = _locked_versions(uv_lock)
    brought: set[str] = set()
    for dist_info in sorted(site.glob("*.dist-info")):
        name, version = _named(dist_info)
        if name not in _INSTALLER and version not in locked.get(name, frozenset()):
            said = ", ".join(sorted(locked.get(name, ()))) or "no such package"
            what = f"`{name}` {version} is installed, and uv.lock has {said}"
            _refuse("installed-not-locked", str(dist_info), what)
        brought |= {re.split("[/,]", line, maxsplit=1)[0] for line in _listed(dist_info)}
        if name == FRAMEWORK:
            _require_as_listed(site, dist_info)
    _refuse_unbrought(site, brought)
    for place in import_path:
        _refuse_other_place(Path(place), site)


def carried_lock(package: Path) -> bytes:
    """The lock that an installed package carries.

    Args:
        package: `…/site-packages/orders`.

    Raises:
        ProblemError: it carries none.
    """
    try:
        with (package / DIRECTORY / UV_LOCK).open("rb") as stream:
            return stream.read(_LIMIT)
    except OSError:
        _refuse("installed-not-locked", str(package), "carries no uv.lock to compare what is installed with")


def _locked_versions(uv_lock: bytes) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    try:
        packages = tomllib.loads(uv_lock.decode("utf-8"))["package"]
        for each in packages:
            found.setdefault(_spelt(each["name"]), set()).add(normal_version(each.get("version", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        _refuse("installed-not-locked", "uv.lock", "cannot be read as a lock")
    return {name: frozenset(versions) for name, versions in found.items()}


def normal_version(text: str) -> str:
    """A version without its other spellings (PEP 440), near enough to compare what two tools wrote."""
    said = text.strip().lower().removeprefix("v").replace("-", ".").replace("_", ".")
    for long, short in _SPELLINGS:
        said = said.replace(long, short)
    said = re.sub(r"\.?(a|b|rc|post|dev)\.?(?=[0-9])", r".\1", said)
    return _NUMBER.sub("", said)


def _named(dist_info: Path) -> tuple[str, str]:
    """Name and version, as the directory says them: installers name it after both."""
    name, _, version = dist_info.name.removesuffix(".dist-info").partition("-")
    return _spelt(name), normal_version(version)


def _spelt(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _listed(dist_info: Path) -> Iterator[str]:
    """The rows of a `RECORD` about files below the site."""
    try:
        content = (dist_info / "RECORD").read_bytes()
    except OSError:
        return
    if len(content) > _LIMIT:
        _refuse("installation-changed", str(dist_info / "RECORD"), f"has more than {_LIMIT} bytes")
    for line in content.decode("utf-8", "replace").splitlines():
        if line and not line.startswith(("../", "/")):
            yield line.removeprefix('"')


def _refuse_unbrought(site: Path, brought: set[str]) -> None:
    for path in site.iterdir():
        name = path.name
        if name in brought or name in _MAKERS_OWN or name == "__pycache__" or name.endswith(".dist-info"):
            continue
        if name.endswith((".egg-info", ".egg")) or _could_be_imported(path):
            _refuse("installation-changed", str(path), "was brought by no distribution and could be imported")


def _refuse_other_place(place: Path, site: Path) -> None:
    """Refuse modules in a place of the import path that is neither Python's own nor the packages'.

    Python's own are its standard library and nothing else below its prefix: what lies in the packages of the
    Python that an environment was made with was locked by nobody.
    """
    at = place.resolve()
    if at in _own_places() or at.is_relative_to(site.resolve()):
        return
    if place.is_file():  # an archive, whatever it is called
        _refuse(
            "installation-changed", str(place), "lies on the import path, and Python imports from archives"
        )
    if not place.is_dir():
        return
    installers = {
        re.split("[/,]", line, maxsplit=1)[0]
        for each in place.glob("*.dist-info")
        if _named(each)[0] in _INSTALLER
        for line in _listed(each)
    }
    for path in sorted(place.iterdir()):
        if path.name not in installers and _could_be_imported(path):
            _refuse("installation-changed", str(path), "lies on the import path beside what was installed")


def _own_places() -> frozenset[Path]:
    """Where the standard library is, as Python names its places before anything is added."""
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}  # not the environment's own
    libraries = {Path(sysconfig.get_path(name, vars=base)) for name in ("stdlib", "platstdlib")}
    archive = f"python{sys.version_info.major}{sys.version_info.minor}.zip"
    more = {each / "lib-dynload" for each in libraries} | {each.parent / archive for each in libraries}
    return frozenset(each.resolve() for each in libraries | more)


def _could_be_imported(path: Path) -> bool:
    """Whether a name leads to code: a directory needs no `__init__.py` to be a package, nor one below it."""
    if not path.is_dir():
        return path.name.endswith(_RUNS)
    seen, waiting = set[Path](), [path]
    while waiting:
        at = waiting.pop()
        if (there := at.resolve()) in seen:
            continue
        seen.add(there)
        for each in at.iterdir():
            if each.name.endswith(_RUNS):
                return True
            if at.name.isidentifier() and each.name.isidentifier() and each.is_dir():
                waiting.append(each)
    return False


def _require_as_listed(site: Path, dist_info: Path) -> None:
    """See that the framework's files are what its wheel listed, and no others lie among them."""
    rows = [row for row in csv.reader(_listed(dist_info)) if row]
    ours = {row[0]: row[1] for row in rows if row[0].startswith(f"{FRAMEWORK}/") and row[1:]}
    for path, said in ours.items():
        if not path.endswith((".pyc", ".pyi")) and said != _digest(site / path):
            _refuse("installation-changed", str(site / path), "is not what the framework's wheel brought")
    for found in (site / FRAMEWORK).rglob("*"):
        name = found.relative_to(site).as_posix()
        cached = found.parent.name == "__pycache__" and found.suffix == ".pyc"
        if name not in ours and not cached and (found.suffix in _RUNS or found.is_symlink()):
            _refuse(
                "installation-changed", str(found), "lies among the framework's files and is none of them"
            )


def _digest(path: Path) -> str:
    try:
        digest = hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return "missing"
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode('ascii')}"


def _refuse(reason: str, where: str, what: str) -> NoReturn:
    fix = (
        "install the promoted wheel and its locked dependencies, with hashes, into a fresh environment,",
        "and put nothing beside them",
    )
    raise ProblemError(Problem(reason=reason, where=where, what=what, fix=fix))
