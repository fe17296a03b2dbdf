"""Which server is meant here? The project around, or the one whose wheel is installed: the image's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from launchworthy.vocabulary import ProblemError

if TYPE_CHECKING:
    from launchworthy.settings import Settings


def own_settings(environ: Mapping[str, str]) -> "Settings":
    """The settings that a server here would have, by the same variables.

    Raises:
        ProblemError: no server is here, or its settings are wrong.
    """
    from launchworthy.promotion.place import find_place
    from launchworthy.settings import find_project, installed_package, load_framework_settings, read_project

    try:
        project = find_project(installed_package())
    except ProblemError:
        place = find_place(Path.cwd())
        project = read_project(place.root, place.package)
    return load_framework_settings(dict(environ), project)
