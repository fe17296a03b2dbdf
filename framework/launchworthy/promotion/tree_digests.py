"""What in a tree does a record name? Its digests, computed anew by whoever signs and whoever verifies.

A build verifies in an environment that has only what production installs: nothing of `promote` is imported.
"""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from launchworthy.attestation import Subject
from launchworthy.attestation.content import files_digest
from launchworthy.attestation.project_files import read_tree_facts
from launchworthy.attestation.tree import read_git_facts
from launchworthy.manifest import load_manifests
from launchworthy.policy import compile_policy
from launchworthy.promotion.place import find_place
from launchworthy.settings import inspect_settings, read_project
from launchworthy.vocabulary import Environment


def digests_of_tree(root: Path, environment: Environment, environ: Mapping[str, str]) -> dict[Subject, str]:
    """Everything that a record names and that can be computed from the tree; runs none of it.

    Raises:
        ProblemError: the tree is not its commit, or cannot be read.
    """
    rehearsed = Environment.PRODUCTION if environment is Environment.REHEARSAL else environment
    tree = read_tree_facts(root, read_git_facts(root, environ=environ), environment=environment)
    files = read_project(root, find_place(root).package)
    manifests = load_manifests(files.manifests())
    return {
        **tree.digests,
        Subject.MANIFESTS: manifests.digest,
        Subject.POLICY: compile_policy(manifests, rehearsed, files.policy(rehearsed)).digest,
        Subject.SETTINGS: inspect_settings(files, rehearsed).digest,
        Subject.CATALOGUE: catalogue_digest(),
    }


def catalogue_digest() -> str:
    """Hex digest of the catalogue's files."""
    folder = resources.files("launchworthy.promotion") / "catalogue"
    files = {each.name: each.read_bytes() for each in folder.iterdir() if each.name.endswith(".toml")}
    return files_digest(files)
