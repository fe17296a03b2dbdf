"""Is a secret found wherever it lies or ever lay, and does no output hold it?"""

import io
import json
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from launchworthy.cli.main import app

SALT = "a-salt-of-this-project"


def token(letter: str = "Q") -> str:
    """A value of a provider's form, put together here so that no file of this project holds one."""
    return "AKIA" + "4" + letter + "7WZRTN2KDMXEH5"[:14]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "orders"
    (root / "manifests").mkdir(parents=True)
    (root / "manifests/server.toml").write_text('name = "orders"\n')
    (root / "src/orders").mkdir(parents=True)
    (root / "src/orders/__main__.py").write_text("")
    (root / "promotion.toml").write_text(f'salt = "{SALT}"\n')
    git(root, "init", "--quiet", "--initial-branch=main")
    return commit(root, "the first")


def git(root: Path, *arguments: str) -> str:
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@acme.example"}
    who |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in who.items()}
    environ = {"PATH": os.environ["PATH"], "HOME": str(root), **who}
    done = subprocess.run(
        ["git", *arguments], cwd=root, env=environ, check=True, capture_output=True, text=True
    )
    return done.stdout


def commit(root: Path, message: str) -> Path:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", f"--message={message}")
    return root


def scan(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["secrets", "scan", *(str(each) for each in arguments)])


def found(*arguments: object) -> list[dict[str, object]]:
    result = scan(*arguments, "--format", "json")
    assert result.exit_code == 1, result.output
    assert token() not in result.output
    leaks: list[dict[str, object]] = json.loads(result.stdout)["leaks"]
    return leaks


def places(leaks: list[dict[str, object]]) -> list[str]:
    return [place["path"] for leak in leaks for place in leak["places"]]  # type: ignore[index,attr-defined]


def test_a_clean_tree_with_a_clean_history_is_a_yes(project: Path) -> None:
    result = scan(project, "--history")
    assert result.exit_code == 0
    assert "no secret" in result.stdout
    assert "history" in result.stdout


@pytest.mark.parametrize(
    "path", ["notes.txt", "ignored.env", "deep/down/in.ipynb", "no-suffix", "src/orders/data.bin"]
)
def test_a_secret_in_any_file_is_found(project: Path, path: str) -> None:
    (project / ".gitignore").write_text("*.env\n")
    file = project / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"\0\1" * path.endswith(".bin") + f"value {token()}\n".encode())
    [leak] = found(project)
    assert leak["kind"] == "aws-access-key"
    assert places([leak]) == [path]
    file.unlink()
    assert scan(project).exit_code == 0


def test_a_deleted_line_stays_in_the_history_with_its_commit(project: Path) -> None:
    (project / "config.ini").write_text(f"key = {token()}\n")
    commit(project, "a mistake")
    (project / "config.ini").write_text("key = gone\n")
    commit(project, "as if nothing had been")
    assert scan(project).exit_code == 0
    result = scan(project, "--history")
    assert result.exit_code == 1
    first = git(project, "log", "--format=%h", "--grep=a mistake").strip()
    assert f"config.ini:1  since {first}" in result.stdout
    assert "still in the history" in result.stdout
    assert token() not in result.output


def on_another_branch(root: Path) -> None:
    git(root, "checkout", "--quiet", "-b", "other")
    commit_secret(root)
    git(root, "checkout", "--quiet", "main")


def in_a_stash(root: Path) -> None:
    (root / "promotion.toml").write_text(f'salt = "{SALT}"\n# {token()}\n')
    git(root, "stash", "--quiet")


def undone_by_a_reset(root: Path) -> None:
    commit_secret(root)
    git(root, "reset", "--quiet", "--hard", "HEAD~1")


def in_the_message_of_a_commit(root: Path) -> None:
    commit(root, f"use {token()}")


def in_the_message_of_a_tag(root: Path) -> None:
    git(root, "tag", "--annotate", f"--message=made with {token()}", "v1")


def in_the_index(root: Path) -> None:
    (root / "staged.txt").write_text(token())
    git(root, "add", "staged.txt")
    (root / "staged.txt").unlink()


def commit_secret(root: Path) -> None:
    (root / "leak.txt").write_text(token())
    commit(root, "another")


@pytest.mark.parametrize(
    "hide",
    [
        on_another_branch,
        in_a_stash,
        undone_by_a_reset,
        in_the_message_of_a_commit,
        in_the_message_of_a_tag,
        in_the_index,
    ],
    ids=lambda hide: hide.__name__,
)
def test_a_secret_that_git_still_leads_to_is_found(project: Path, hide: Callable[[Path], None]) -> None:
    hide(project)
    assert scan(project).exit_code == 0, "it is not in the tree"
    [leak] = found(project, "--history")
    assert leak["kind"] == "aws-access-key"


def test_the_same_value_is_one_leak_with_one_name_wherever_it_lies(project: Path) -> None:
    (project / "one.txt").write_text(token())
    commit(project, "one")
    (project / "two.txt").write_text(f"\n\n{token()}")
    (project / "other.txt").write_text(token("Y"))
    leaks = found(project, "--history")
    assert len(leaks) == 2
    assert len({leak["fingerprint"] for leak in leaks}) == 2
    both = next(leak for leak in leaks if "two.txt" in places([leak]))
    assert set(places([both])) == {"one.txt", "two.txt"}
    (project / "two.txt").unlink()
    again = found(project, "--history")
    assert both["fingerprint"] in {leak["fingerprint"] for leak in again}


def test_another_salt_gives_other_names_and_no_salt_none(project: Path) -> None:
    (project / "leak.txt").write_text(token())
    [first] = found(project)
    (project / "promotion.toml").write_text('salt = "another-salt"\n')
    [second] = found(project)
    (project / "promotion.toml").write_text("")
    [third] = found(project)
    assert first["fingerprint"] != second["fingerprint"]
    assert third["fingerprint"] is None
    assert "add one:  salt =" in scan(project).stdout


def test_a_salt_that_is_too_short_is_refused(project: Path) -> None:
    (project / "promotion.toml").write_text('salt = "short"\n')
    result = scan(project)
    assert result.exit_code == 2
    assert "bad-value" in result.stderr


@pytest.mark.parametrize("form", ["whl", "tar.gz"])
def test_a_secret_in_what_was_built_is_found(tmp_path: Path, form: str) -> None:
    built = tmp_path / f"orders-1.{form}"
    for content in ("nothing", token()):
        if form == "whl":
            with zipfile.ZipFile(built, "w") as wheel:
                wheel.writestr("orders/data/settings", content)
        else:
            with tarfile.open(built, "w:gz") as sdist:
                member = tarfile.TarInfo("orders/data/settings")
                member.size = len(content)
                sdist.addfile(member, io.BytesIO(content.encode()))
        if content == "nothing":
            assert scan(built).exit_code == 0
    assert places(found(built)) == [f"{built.name}!orders/data/settings"]


def test_a_variable_is_named_and_its_value_is_not_shown(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = "k7Qm2x-" + "vB9tRz4"
    monkeypatch.setenv("ORDERS_DB_PASSWORD", chosen)
    result = scan(project, "--environ")
    assert result.exit_code == 1
    assert "$ORDERS_DB_PASSWORD" in result.stdout
    assert "vB9tRz4" not in result.output


def test_what_cannot_be_looked_at_is_no_yes(project: Path, tmp_path: Path) -> None:
    long = project / "long.txt"
    long.write_text("x" * (8 * 1024 * 1024 + 1))
    assert scan(project).exit_code == 2
    long.unlink()
    assert scan(project).exit_code == 0
    damaged = tmp_path / "orders.whl"
    damaged.write_bytes(b"PK\3\4 and then nothing")
    result = scan(damaged)
    assert result.exit_code == 2
    assert "unreadable-archive" in result.stderr
    assert scan(tmp_path / "nowhere").exit_code == 2


def test_a_shallow_clone_cannot_say_what_there_was(project: Path, tmp_path: Path) -> None:
    commit(project, "the second")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{project}", "shallow")
    result = scan(tmp_path / "shallow", "--history")
    assert result.exit_code == 2
    assert "history-not-whole" in result.stderr
    assert scan(project, "--history").exit_code == 0


def sign_head(root: Path) -> None:
    """Give the last commit something that git would want checked."""
    head, _, message = git(root, "cat-file", "commit", "HEAD").partition("\n\n")
    lines = ("gpgsig -----BEGIN PGP SIGNATURE-----", " ", " x", " -----END PGP SIGNATURE-----")
    file = root.parent / "signed"
    file.write_text("\n".join((head, *lines, "", message)))
    git(root, "update-ref", "HEAD", git(root, "hash-object", "-t", "commit", "-w", str(file)).strip())


def test_a_repository_runs_nothing_of_its_own_while_it_is_read(project: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (project / "leak.txt").write_text(token())
    (project / ".gitattributes").write_text("*.txt diff=spy\n")
    commit(project, "a mistake")
    (project / "leak.txt").unlink()
    commit(project, "gone")
    spy = tmp_path / "spy"
    spy.write_text(f"#!/bin/sh\ntouch {ran}\n")
    spy.chmod(0o755)
    for name in ("diff.spy.textconv", "diff.spy.command", "diff.external", "core.fsmonitor", "core.pager"):
        git(project, "config", name, str(spy))
    sign_head(project)
    git(project, "config", "gpg.program", str(spy))
    git(project, "config", "log.showSignature", "true")
    result = scan(project, "--history")
    assert result.exit_code == 1
    assert "since" in result.stdout
    assert not ran.exists()


def test_a_replaced_object_does_not_hide_what_it_replaced(project: Path) -> None:
    (project / "leak.txt").write_text(token())
    commit(project, "a mistake")
    secret = git(project, "rev-parse", "HEAD:leak.txt").strip()
    harmless = git(project, "rev-parse", "HEAD:promotion.toml").strip()
    git(project, "replace", secret, harmless)
    (project / "leak.txt").unlink()
    commit(project, "gone")
    assert len(found(project, "--history")) == 1


def test_a_graft_cuts_nothing_off_the_history(project: Path, tmp_path: Path) -> None:
    (project / "leak.txt").write_text(token())
    commit(project, "a mistake")
    (project / "leak.txt").unlink()
    commit(project, "gone")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--no-local", str(project), str(clone))
    git(clone, "reflog", "expire", "--expire=all", "--all")
    (clone / ".git/info").mkdir(exist_ok=True)
    (clone / ".git/info/grafts").write_text(git(clone, "rev-parse", "HEAD"))
    assert len(found(clone, "--history")) == 1


def below(project: Path) -> Path:
    """A project in a folder of a larger repository."""
    inner = project / "servers" / "shop"
    (inner / "manifests").mkdir(parents=True)
    (inner / "manifests/server.toml").write_text('name = "shop"\n')
    return inner


@pytest.mark.parametrize("elsewhere", ["a.txt", "servers/a.txt", "z.txt"])
def test_a_copy_beside_a_project_does_not_hide_what_lay_in_it(project: Path, elsewhere: str) -> None:
    inner = below(project)
    (inner / "leak.txt").write_text(token())
    (project / elsewhere).write_text(token())
    commit(project, "a mistake")
    (inner / "leak.txt").unlink()
    commit(project, "gone, but for the copy")
    assert places(found(inner, "--history")) == ["leak.txt"]


def test_what_is_only_staged_in_a_project_is_found_and_what_lies_beside_it_is_not(project: Path) -> None:
    inner = below(project)
    (project / "beside.txt").write_text(token("B"))
    commit(project, "somebody else's")
    assert scan(inner, "--history").exit_code == 0
    (inner / "leak.txt").write_text(token())
    git(project, "add", "--all")
    (inner / "leak.txt").unlink()
    assert places(found(inner, "--history")) == ["leak.txt"]


def test_a_strange_file_name_ends_no_scan(project: Path) -> None:
    (project / "caf\u00e9\r\u00e9.txt").write_text(token())
    (project / "a\x1b[2Jb.txt").write_text(token("B"))
    commit(project, "a mistake")
    result = scan(project, "--history")
    assert (result.exit_code, "2 secrets" in result.stdout) == (1, True)
    assert not {"\x1b", "\r"} & set(result.stdout)


@pytest.mark.parametrize("form", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_secret_in_wide_characters_is_found_once(project: Path, form: str) -> None:
    (project / "notes.txt").write_bytes(f"key {token()}\n".encode(form))
    assert places(found(project)) == ["notes.txt"]


def archive_of(path: Path, form: str) -> Path:
    content = b"x" * 4096 + os.urandom(4096)
    if form.endswith("tar"):
        with tarfile.open(path, "w:xz") as made:
            member = tarfile.TarInfo("more.txt")
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    else:
        with zipfile.ZipFile(path, "w", compression=FORMS[form]) as made:
            made.writestr("more.txt", content)
    return path


FORMS = {"zip": zipfile.ZIP_DEFLATED, "bzip2.zip": zipfile.ZIP_BZIP2, "lzma.zip": zipfile.ZIP_LZMA}


@pytest.mark.parametrize("form", [*FORMS, "xz.tar"])
def test_a_damaged_archive_is_no_yes_however_it_is_packed(form: str, tmp_path: Path) -> None:
    archive = archive_of(tmp_path / f"more.{form}", form)
    assert scan(archive).exit_code == 0
    content = bytearray(archive.read_bytes())
    content[70:2000] = bytes(1930)
    archive.write_bytes(content)
    result = scan(archive)
    assert (result.exit_code, "unreadable-archive" in result.stderr) == (2, True)
