"""Which server is meant here? The project around, or the one whose wheel is installed: the image's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from launchworthy.vocabulary import ProblemError

if TYPE_CHECKING:
    from launchworthy.settings import ProjectFiles, Settings


def own_name() -> str:
    """What the server here calls itself in its manifest.

    Raises:
        ProblemError: no server is here, or its manifests are wrong.
    """
    from launchworthy.manifest import load_manifests

    return load_manifests(_own_files().manifests()).server.name


def own_settings(environ: Mapping[str, str]) -> "Settings":
    """The settings that a server here would have, by the same variables.

    Raises:
        ProblemError: no server is here, or its settings are wrong.
    """
    from launchworthy.settings import load_framework_settings

    return load_framework_settings(dict(environ), _own_files())


def _own_files() -> "ProjectFiles":
    from launchworthy.promotion.place import find_place
    from launchworthy.settings import find_project, installed_package, read_project

    try:
        return find_project(installed_package())
    except ProblemError:
        place = find_place(Path.cwd())
        return read_project(place.root, place.package)
