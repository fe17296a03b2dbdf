"""Which files are judged, and what a build knows of them."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from repository import ENVIRON, Repository

from launchworthy.attestation import Subject
from launchworthy.attestation.content import files_digest
from launchworthy.attestation.project_files import packaged_files, read_group, read_tree_facts
from launchworthy.attestation.tree import read_git_facts
from launchworthy.vocabulary import Environment, ProblemError


def reason_of(call: Callable[[], object]) -> str:
    with pytest.raises(ProblemError) as caught:
        call()
    [problem] = caught.value.problems
    return problem.reason


def test_the_facts_of_a_tree_are_digests_of_its_files(repository: Repository) -> None:
    facts = read_tree_facts(repository.root, repository.facts(), environment=Environment.PRODUCTION)
    assert facts.environment is Environment.PRODUCTION
    assert facts.digests[Subject.POLICY_FILES] == files_digest({"policy/rules.cedar": b"// none\n"})
    assert facts.digests[Subject.SETTINGS_FILES] == files_digest({"config/production.toml": b"[server]\n"})
    sums = subprocess.run(
        ["sha256sum", "uv.lock", "launchworthy.lock"], cwd=repository.root, capture_output=True, check=True
    ).stdout.decode()
    assert facts.digests[Subject.UV_LOCK] in sums
    assert facts.digests[Subject.LOCK] in sums
    assert packaged_files(repository.root) == (
        "config/production.toml",
        "launchworthy.lock",
        "manifests/server.toml",
        "policy/rules.cedar",
        "promotion.toml",
        "uv.lock",
    )


def test_a_project_within_a_repository_is_looked_at_in_its_place(
    repository: Repository, tmp_path: Path
) -> None:
    outer = Repository(tmp_path / "outer")
    shutil.copytree(repository.root, outer.root / "servers/orders", symlinks=True)
    shutil.rmtree(outer.root / "servers/orders/.git")
    outer.git("init", "--quiet")
    outer.commit()
    root = outer.root / "servers/orders"
    inner = read_tree_facts(root, read_git_facts(root, environ=ENVIRON), environment=Environment.PRODUCTION)
    alone = read_tree_facts(repository.root, repository.facts(), environment=Environment.PRODUCTION)
    assert inner.digests[Subject.MANIFEST_FILES] == alone.digests[Subject.MANIFEST_FILES]
    outer.write("README.md", "another's change counts too")
    assert reason_of(read_git_facts(root, environ=ENVIRON).require_clean) == "tree-not-clean"


@pytest.mark.parametrize("missing", ["uv.lock", "launchworthy.lock"])
def test_a_missing_lock_is_named(missing: str, repository: Repository) -> None:
    def facts() -> object:
        return read_tree_facts(repository.root, repository.facts(), environment=Environment.PRODUCTION)

    assert facts()
    (repository.root / missing).unlink()
    repository.commit()
    assert reason_of(facts) == "file-missing"


def test_a_judged_file_is_itself_short_and_readable(repository: Repository, tmp_path: Path) -> None:
    def group() -> dict[str, bytes]:
        return read_group(repository.root, Subject.POLICY_FILES)

    rules = repository.root / "policy/rules.cedar"
    assert group() == {"policy/rules.cedar": b"// none\n"}
    rules.write_bytes(b"/" * (1024 * 1024 + 1))
    assert reason_of(group) == "file-too-long"
    rules.unlink()
    rules.mkdir()
    assert reason_of(group) == "file-unreadable"
    rules.rmdir()
    rules.symlink_to(repository.root / "README.md")
    assert reason_of(group) == "file-is-a-link"
    shutil.rmtree(rules.parent)
    assert group() == {}
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/rules.cedar").write_text("")
    rules.parent.symlink_to(tmp_path / "elsewhere")
    assert reason_of(group) == "file-is-a-link"
