"""Is the tree its commit? Asked of repositories that would rather not say, and of some that run commands."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from repository import ENVIRON, Repository

from launchworthy.attestation import git
from launchworthy.attestation.tree import read_git_facts
from launchworthy.vocabulary import ProblemError


def reason_of(call: Callable[[], object]) -> str:
    with pytest.raises(ProblemError) as caught:
        call()
    [problem] = caught.value.problems
    return problem.reason


def test_a_clean_tree_is_its_commit(repository: Repository) -> None:
    facts = repository.facts()
    assert facts.commit == repository.git("rev-parse", "HEAD")
    assert facts.tree == repository.git("rev-parse", "HEAD^{tree}")
    assert facts.top == repository.root
    assert facts.tracked == frozenset(repository.git("ls-files").splitlines())
    assert facts.differing == ()
    facts.require_clean()


def test_a_directory_below_knows_its_repository(repository: Repository) -> None:
    below = read_git_facts(repository.root / "src" / "orders", environ=ENVIRON)
    assert below == repository.facts()


def test_a_worktree_and_a_shallow_clone_will_do(repository: Repository, tmp_path: Path) -> None:
    repository.commit()
    repository.git("worktree", "add", "--quiet", str(tmp_path / "worktree"))
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.root}", str(tmp_path / "clone"))
    for name in ("worktree", "clone"):
        other = Repository(tmp_path / name).facts()
        assert (other.tree, other.differing) == (repository.facts().tree, ())


def test_a_sha256_repository_will_do(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.git("init", "--quiet", "--object-format=sha256")
    repository.write("a/b", "x")
    assert repository.commit() == repository.facts().commit
    assert len(repository.facts().tree) == 64
    repository.write("a/b", "y")
    assert repository.differing() == ("a/b",)


def edit(repository: Repository) -> str:
    return str(repository.write("src/orders/tools.py", "x = 2\n"))


def edit_of_the_same_length_and_time(repository: Repository) -> str:
    path = repository.root / "src/orders/tools.py"
    status = path.stat()
    path.write_text("x = 2\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return str(path)


def delete(repository: Repository) -> str:
    (repository.root / "README.md").unlink()
    return "README.md"


def add(repository: Repository) -> str:
    return str(repository.write("src/orders/evil.py", ""))


def add_and_stage(repository: Repository) -> str:
    path = repository.write("src/orders/evil.py", "")
    repository.git("add", "-A")
    return str(path)


def replace_by_a_link(repository: Repository) -> str:
    path = repository.root / "src/orders/tools.py"
    shutil.copy(path, repository.root / "dist.py")
    path.unlink()
    path.symlink_to("../../dist.py")
    return "dist.py src/orders/tools.py"


def replace_a_directory_by_a_link(repository: Repository) -> str:
    """Every tracked file is read through the link, unchanged; what else lies there nobody judged."""
    outside = repository.root.parent / "elsewhere"
    (repository.root / "src/orders").rename(outside)
    (repository.root / "src/orders").symlink_to(outside)
    return "src/orders"


def replace_a_link_by_a_file(repository: Repository) -> str:
    (repository.root / "link").unlink()
    return str(repository.write("link", "README.md"))


def point_a_link_elsewhere(repository: Repository) -> str:
    (repository.root / "link").unlink()
    (repository.root / "link").symlink_to("uv.lock")
    return "link"


def make_a_file_a_directory(repository: Repository) -> str:
    (repository.root / "README.md").unlink()
    (repository.root / "README.md").mkdir()
    return "README.md"


def hide_by_assume_unchanged(repository: Repository) -> str:
    repository.git("update-index", "--assume-unchanged", "src/orders/tools.py")
    return edit(repository)


def hide_by_skip_worktree(repository: Repository) -> str:
    repository.git("update-index", "--skip-worktree", "src/orders/tools.py")
    return edit(repository)


def hide_by_configuration(repository: Repository) -> str:
    repository.git("config", "status.showUntrackedFiles", "no")
    repository.git("config", "core.ignoreStat", "true")
    return add(repository)


def hide_by_another_work_tree(repository: Repository) -> str:
    clean = repository.root.parent / "clean"
    repository.git("worktree", "add", "--quiet", str(clean))
    repository.git("config", "core.worktree", str(clean))
    return edit(repository)


def hide_an_addition_by_another_work_tree(repository: Repository) -> str:
    clean = repository.root.parent / "clean"
    clean.mkdir()
    repository.git("config", "core.worktree", str(clean))
    return add(repository)


def hide_by_a_replacement(repository: Repository) -> str:
    """`git replace` lets HEAD show the content of another commit under its own name."""
    good = repository.git("rev-parse", "HEAD")
    edit(repository)
    evil = repository.commit()
    repository.git("update-ref", "refs/heads/main", good)
    repository.git("replace", good, evil)
    assert repository.git("status", "--porcelain") == ""
    return "src/orders/tools.py"


def hide_by_a_filter(repository: Repository) -> str:
    """A clean filter shows git the old content, whatever the file holds."""
    repository.git(
        "config", "filter.hide.clean", "git cat-file blob HEAD:src/orders/tools.py; cat >/dev/null"
    )
    repository.write(".git/info/attributes", "src/orders/tools.py filter=hide\n")
    edit(repository)
    assert repository.git("status", "--porcelain") == ""
    return "src/orders/tools.py"


CHANGES = [
    edit,
    edit_of_the_same_length_and_time,
    delete,
    add,
    add_and_stage,
    replace_by_a_link,
    replace_a_directory_by_a_link,
    replace_a_link_by_a_file,
    point_a_link_elsewhere,
    make_a_file_a_directory,
    hide_by_assume_unchanged,
    hide_by_skip_worktree,
    hide_by_configuration,
    hide_by_another_work_tree,
    hide_an_addition_by_another_work_tree,
    hide_by_a_replacement,
    hide_by_a_filter,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_named_however_it_is_hidden(
    change: Callable[[Repository], str], repository: Repository
) -> None:
    assert repository.differing() == ()
    named = change(repository).removeprefix(f"{repository.root}/")
    assert repository.differing() == tuple(named.split(" "))
    assert reason_of(repository.facts().require_clean) == "tree-not-clean"


def test_what_git_ignores_may_lie_there(repository: Repository) -> None:
    repository.write("dist/orders.whl", "")
    assert repository.differing() == ()
    repository.write("build/orders.whl", "")
    assert repository.differing() == ("build/orders.whl",)


def test_a_message_names_some_files_and_counts_the_rest(repository: Repository) -> None:
    repository.write("new\nline", "")
    for number in range(7):
        repository.write(f"n{number}", "")
    with pytest.raises(ProblemError) as caught:
        repository.facts().require_clean()
    what = caught.value.problems[0].what
    commit = repository.git("rev-parse", "HEAD")[:7]
    assert what == f"8 files differ from commit {commit}: n0, n1, n2, n3, n4 and 3 more"
    assert "new?line" in repository.differing()


COMMANDS = {
    "core.fsmonitor": "{command}",
    "core.hooksPath": "{directory}",
    "core.pager": "{command}",
    "diff.external": "{command}",
    "core.sshCommand": "{command}",
    "core.gitProxy": "{command}",
    "core.askPass": "{command}",
    "credential.helper": "!{command}",
    "filter.run.clean": "{command}",
    "filter.run.smudge": "{command}",
    "filter.run.process": "{command}",
    "filter.run.required": "true",
    "diff.run.textconv": "{command}",
    "diff.run.command": "{command}",
    "merge.run.driver": "{command}",
    "gpg.program": "{command}",
    "log.showSignature": "true",
    "core.alternateRefsCommand": "{command}",
    "alias.ls-files": "!{command}",
    "alias.cat-file": "!{command}",
    "extensions.partialClone": "evil",
    "remote.evil.promisor": "true",
    "remote.evil.url": "ext::{command} %S",
    "remote.evil.uploadpack": "{command}",
    "protocol.ext.allow": "always",
    "protocol.allow": "always",
}
HOOKS = ("post-index-change", "fsmonitor-watchman", "reference-transaction", "post-checkout", "pre-auto-gc")


def test_a_repository_runs_none_of_its_commands(repository: Repository, tmp_path: Path) -> None:
    """Every way of a configuration to have a command run that I know; the twin runs one of them."""
    ran, bin_directory = tmp_path / "ran", tmp_path / "bin"
    bin_directory.mkdir()
    command = bin_directory / "command"
    command.write_text(f'#!/bin/sh\necho "$0 $*" >> {ran}\ncat\n')
    command.chmod(0o755)
    hooks = (bin_directory, repository.root / ".git/hooks")
    for directory in hooks:
        directory.mkdir(exist_ok=True)
        for name in HOOKS:
            shutil.copy(command, directory / name)
    edit(repository)
    repository.git("config", "core.repositoryFormatVersion", "1")
    for name, value in COMMANDS.items():
        repository.git("config", name, value.format(command=command, directory=bin_directory))
    attributes = "* filter=run diff=run merge=run\n"
    repository.write(".git/info/attributes", attributes)
    repository.write(".gitattributes", attributes)
    ran.unlink(missing_ok=True)
    assert repository.differing() == (".gitattributes", "src/orders/tools.py")
    assert not ran.exists()
    blob = repository.git("rev-parse", "HEAD:uv.lock")
    (repository.root / f".git/objects/{blob[:2]}/{blob[2:]}").unlink()
    assert repository.differing() == (".gitattributes", "src/orders/tools.py")
    tree = repository.git("rev-parse", "HEAD^{tree}")
    (repository.root / f".git/objects/{tree[:2]}/{tree[2:]}").unlink()
    assert reason_of(repository.facts) == "git-not-usable"
    assert not ran.exists()
    subprocess.run(["git", "status"], cwd=repository.root, capture_output=True, check=False)
    assert ran.exists()


def test_the_callers_git_variables_do_not_count(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = repository.facts()
    edit(repository)
    elsewhere = {
        "GIT_DIR": str(tmp_path / "none"),
        "GIT_WORK_TREE": str(tmp_path),
        "GIT_INDEX_FILE": str(tmp_path / "index"),
        "GIT_OBJECT_DIRECTORY": str(tmp_path / "objects"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.worktree",
        "GIT_CONFIG_VALUE_0": str(tmp_path),
    }
    for name, value in elsewhere.items():
        monkeypatch.setenv(name, value)
    facts = repository.facts(**elsewhere)
    assert facts.commit == expected.commit
    assert facts.differing == ("src/orders/tools.py",)


def test_git_does_not_come_from_the_tree_that_it_is_to_look_at(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = repository.write("bin/git", "#!/bin/sh\nexit 0\n")
    planted.chmod(0o755)
    repository.commit()
    assert repository.facts(PATH=f"{planted.parent}:bin:.:{ENVIRON['PATH']}").differing == ()
    assert reason_of(lambda: repository.facts(PATH=f"{planted.parent}:bin:.:")) == "git-not-usable"
    monkeypatch.chdir(repository.root)
    (repository.root.parent / "tools").mkdir()
    shutil.copy(planted, repository.root.parent / "tools/git")
    assert reason_of(lambda: repository.facts(PATH="../tools")) == "git-not-usable"
    assert repository.facts(PATH=f"../tools:{ENVIRON['PATH']}").differing == ()


def test_a_git_that_hangs_or_is_none_is_given_up(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(git, "_DEADLINE", 0.2)
    for content in ("#!/bin/sh\nexec tail -f /dev/null\n", "", "#!/bin/sh\nexit 1\n"):
        tool = tmp_path / "tools/git"
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(content)
        tool.chmod(0o755)
        assert reason_of(lambda: repository.facts(PATH=f"{tmp_path}/tools:/usr/bin")) == "git-not-usable"


def show_another(repository: Repository, name: str, other: str) -> None:
    """Let the index of a pack list an object under the name of another; git does not hash what it reads."""
    pack = repository.root / ".git/objects/pack"
    made = subprocess.run(
        ["git", "pack-objects", "--quiet", str(pack / "pack")],
        cwd=repository.root,
        input=f"{other}\n".encode(),
        capture_output=True,
        check=True,
    )
    index = pack / f"pack-{made.stdout.decode().strip()}.idx"
    content = index.read_bytes()
    first = int(name[:2], 16)
    fanout = b"".join((1 if byte >= first else 0).to_bytes(4, "big") for byte in range(256))
    index.chmod(0o644)
    index.write_bytes(content[:8] + fanout + bytes.fromhex(name) + content[8 + 1024 + 20 :])
    (repository.root / f".git/objects/{name[:2]}/{name[2:]}").unlink()


@pytest.mark.parametrize(("kind", "show"), [("", "cat-file commit"), (":src/orders", "ls-tree -r")])
def test_objects_that_are_not_what_their_names_say_are_refused(
    kind: str, show: str, repository: Repository
) -> None:
    """An object store that was made by hand shows the edited files under the name of the promoted commit."""
    good, good_object = repository.git("rev-parse", "HEAD"), repository.git("rev-parse", f"HEAD{kind}")
    edit(repository)
    evil = repository.commit()
    evil_object = repository.git("rev-parse", f"HEAD{kind}")
    repository.git("update-ref", "refs/heads/main", good)
    assert repository.differing() == ("src/orders/tools.py",)
    show_another(repository, good_object, evil_object)
    assert repository.git("rev-parse", "HEAD") == good
    assert repository.git(*show.split(), good) == repository.git(*show.split(), evil)
    assert reason_of(repository.facts) == "git-not-usable"


def test_where_nothing_can_be_told_it_says_why(tmp_path: Path, repository: Repository) -> None:
    assert reason_of(lambda: read_git_facts(tmp_path, environ=ENVIRON)) == "no-git"
    empty = Repository(tmp_path / "empty")
    empty.root.mkdir()
    empty.git("init", "--quiet")
    assert reason_of(empty.facts) == "git-not-usable"
    repository.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository.root), "sub"
    )
    repository.commit()
    assert reason_of(repository.facts) == "submodule-not-covered"
