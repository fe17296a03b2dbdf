"""What does a build put into the wheel, and does the gate let it? A hatchling plugin.

    [tool.hatch.build.hooks.launchworthy]
    package = "orders"        # only where it is not the project's name with `_` for `-`

Every wheel holds the project's declarations below `<package>/_launchworthy/`. Whether it was promoted is
said in its metadata only (`extra_metadata/`: the record, or `unpromoted.json`), because the rehearsed wheel
and the promoted one must have the same content digest; so have those of staging and production.

Without LAUNCHWORTHY_BUILD no question is asked. With it, `build_gate` is asked before and after, and the
wheel is deleted before the refusal is raised. Editable installs are not gated: they start in no real
environment. Whoever can change pyproject.toml can take this hook out; their wheel then starts nowhere real.

This module is loaded by every build of every generated project, so it loads no server.
"""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.builders.wheel import WheelBuilderConfig
from hatchling.plugin import hookimpl

from launchworthy.attestation.build_gate import BUILD_VARIABLE, BuildGate
from launchworthy.attestation.project_files import DIRECTORY, packaged_files
from launchworthy.attestation.records import RECORD_DIRECTORY, record_name
from launchworthy.vocabulary import Problem, ProblemError, render_text

UNPROMOTED = "unpromoted.json"


class LaunchworthyBuildHook(BuildHookInterface[WheelBuilderConfig]):
    """Packs the declarations, and asks the gate where a promoted wheel was asked for."""

    PLUGIN_NAME = "launchworthy"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the build: pack, and in a gated build verify the tree."""
        with _said_plainly():
            gated = BuildGate.is_asked_for(_environ())
            if self.target_name != "wheel":
                if gated:
                    _refuse_build(f"a gated build makes a wheel only, and `{self.target_name}` is none")
                return
            if version == "editable":
                return
            self._pack(build_data)
            if gated:
                self._check_build(build_data)
                gate = self._gate()
                gate.verify_tree(now=_now())
                record = record_name(gate.environment)
                build_data["extra_metadata"][f"{self.root}/{RECORD_DIRECTORY}/{record}"] = record
            else:
                build_data["extra_metadata"][str(Path(__file__).with_name(UNPROMOTED))] = UNPROMOTED
                self.app.display_info(
                    "launchworthy: this wheel is not promoted; it starts in no real environment"
                )

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """After the build: in a gated one verify the wheel, and delete it if it must not exist."""
        if self.target_name != "wheel" or version == "editable" or not BuildGate.is_asked_for(_environ()):
            return
        wheel, verified = Path(artifact_path), False
        try:
            with _said_plainly():
                self._gate().verify_wheel(wheel, now=_now())
            verified = True
        finally:
            if not verified:
                wheel.unlink(missing_ok=True)

    def _gate(self) -> BuildGate:
        return BuildGate.open(Path(self.root), _environ())

    def _pack(self, build_data: dict[str, Any]) -> None:
        package = self._package()
        for path in packaged_files(Path(self.root)):
            build_data["force_include"][f"{self.root}/{path}"] = f"{package}/{DIRECTORY}/{path}"

    def _package(self) -> str:
        named = self.config.get("package", self.metadata.core.name.replace("-", "_"))
        places = [place for place in (Path(self.root, "src"), Path(self.root)) if (place / named).is_dir()]
        if not places:
            what = f"there is no package `{named}`, in which the declarations would travel"
            fix = ('name it in pyproject.toml:  [tool.hatch.build.hooks.launchworthy]  package = "…"',)
            raise ProblemError(
                Problem(reason="package-not-found", where="pyproject.toml", what=what, fix=fix)
            )
        if (places[0] / named / DIRECTORY).exists():
            what = f"`{named}/{DIRECTORY}` is in the source, and only a build may make it"
            fix = ("delete it; what it declares stands in manifests/, policy/ and config/",)
            raise ProblemError(Problem(reason="declarations-in-package", what=what, fix=fix))
        return str(named)

    def _check_build(self, build_data: dict[str, Any]) -> None:
        if build_data["build_hooks"][-1] != self.PLUGIN_NAME:
            _refuse_build(f"the hook `{build_data['build_hooks'][-1]}` runs after the gate")
        if "custom" in build_data["build_hooks"]:
            _refuse_build("`[tool.hatch.build.hooks.custom]` would run code of the project before the gate")
        if not self.build_config.reproducible:
            _refuse_build("`reproducible = false` makes a wheel that nobody can build again and compare")


@hookimpl
def hatch_register_build_hook() -> type[LaunchworthyBuildHook]:
    """Tell hatchling about the hook (entry point group `hatch`)."""
    return LaunchworthyBuildHook


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Print what is wrong and end the build; a traceback would bury it."""
    try:
        yield
    except ProblemError as error:
        for problem in error.problems:
            print(render_text("no wheel", problem), file=sys.stderr)  # noqa: T201 - a build's only voice
        sys.exit(1)


def _refuse_build(what: str) -> NoReturn:
    fix = (f"uv build --wheel, with [tool.hatch.build.hooks.launchworthy] last, or without {BUILD_VARIABLE}",)
    raise ProblemError(Problem(reason="build-not-gateable", where="pyproject.toml", what=what, fix=fix))


def _environ() -> Mapping[str, str]:
    return os.environ


def _now() -> int:
    return int(time.time())
