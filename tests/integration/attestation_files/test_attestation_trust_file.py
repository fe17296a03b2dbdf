"""In whose hands was the trust policy? Real files where that can be had, the rule itself for every owner."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from launchworthy.attestation.trust_file import Entry, is_changeable, read_trust_policy
from launchworthy.vocabulary import Environment, ProblemError

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "tests" / "unit" / "attestation"))

from promoters import PROMOTER, Authority  # noqa: E402

NOBODY = 65534
FILE, DIRECTORY, LINK = stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK
TABLE = 'promoters = ["{}"]\napprovers = "released-job"\nstamp = "none"\ncatalogue = "0.1"\n'
only_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def trust_file(tmp_path: Path) -> Path:
    directory = tmp_path / "etc"
    directory.mkdir(mode=0o755)
    (directory / "acme.pem").write_bytes(Authority().pem)
    (directory / "dev.pem").write_bytes(Authority(domain="dev.invalid").pem)
    text = (
        "[production]\n" + TABLE.format(PROMOTER) + "[rehearsal]\n" + TABLE.format("spiffe://dev.invalid/p")
    )
    (directory / "trust.toml").write_text(
        text + '[roots]\n"acme.example" = ["acme.pem"]\n"dev.invalid" = ["dev.pem"]\n'
    )
    for path in directory.iterdir():
        path.chmod(0o644)
    return directory / "trust.toml"


def reason_of(path: Path, environment: Environment, outside: Path | None = None) -> str:
    with pytest.raises(ProblemError) as caught:
        read_trust_policy(path, environment=environment, outside=outside)
    return caught.value.problems[0].reason


def test_a_policy_of_ones_own_is_good_for_rehearsals(trust_file: Path, tmp_path: Path) -> None:
    policy = read_trust_policy(trust_file, environment=Environment.REHEARSAL, outside=tmp_path / "project")
    assert policy.where == str(trust_file)
    assert set(policy.roots) == {"acme.example", "dev.invalid"}
    for name in ("trust.toml", "dev.pem"):
        trust_file.with_name(name).chmod(0o664)
        assert reason_of(trust_file, Environment.REHEARSAL) == "trust-policy-writable"
        trust_file.with_name(name).chmod(0o644)
    assert read_trust_policy(trust_file, environment=Environment.REHEARSAL, outside=None)


@pytest.mark.skipif(os.geteuid() == 0, reason="for root the question is who owns it")
def test_a_policy_of_ones_own_is_good_for_nothing_real(trust_file: Path) -> None:
    assert reason_of(trust_file, Environment.PRODUCTION) == "trust-policy-writable"
    trust_file.chmod(0o444)
    assert reason_of(trust_file, Environment.PRODUCTION) == "trust-policy-writable"


@only_as_root
def test_roots_policy_is_good_for_root_if_nobody_else_can_write_it(trust_file: Path) -> None:
    assert read_trust_policy(trust_file, environment=Environment.PRODUCTION, outside=None)
    for path in (trust_file, trust_file.with_name("acme.pem"), trust_file.parent):
        good = path.stat().st_mode
        for worse in (0o020, 0o002):
            path.chmod(good | worse)
            assert reason_of(trust_file, Environment.PRODUCTION) == "trust-policy-writable"
        path.chmod(good)
        os.chown(path, 12345, -1)
        assert reason_of(trust_file, Environment.PRODUCTION) == "trust-policy-writable"
        os.chown(path, 0, -1)
    assert read_trust_policy(trust_file, environment=Environment.PRODUCTION, outside=None)


@only_as_root
def test_a_link_on_the_way_is_looked_at_too(trust_file: Path, tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: `trust.toml` → `..data/trust.toml`, `..data` → a directory."""
    mount = tmp_path / "mount"
    mount.mkdir(mode=0o755)
    (mount / "..data").symlink_to(trust_file.parent)
    for name in ("trust.toml", "acme.pem", "dev.pem"):
        (mount / name).symlink_to(f"..data/{name}")
    assert read_trust_policy(mount / "trust.toml", environment=Environment.PRODUCTION, outside=None)
    mount.chmod(0o777)
    assert reason_of(mount / "trust.toml", Environment.PRODUCTION) == "trust-policy-writable"
    mount.chmod(0o755)
    os.chown(mount / "..data", 12345, -1, follow_symlinks=False)
    assert reason_of(mount / "trust.toml", Environment.PRODUCTION) == "trust-policy-writable"


@contextmanager
def as_nobody() -> Iterator[None]:
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


@only_as_root
def test_a_process_that_is_not_root_reads_a_policy_that_it_cannot_change() -> None:
    """In /tmp itself, because pytest's directories are root's alone."""

    def ask(path: Path) -> str:
        with as_nobody():
            try:
                read_trust_policy(path, environment=Environment.PRODUCTION, outside=None)
            except ProblemError as error:
                return error.problems[0].reason
            return "read"

    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o755)
        path, root = directory / "trust.toml", directory / "acme.pem"
        root.write_bytes(Authority().pem)
        path.write_text(
            "[production]\n" + TABLE.format(PROMOTER) + '[roots]\n"acme.example" = ["acme.pem"]\n'
        )
        assert ask(path) == "read"
        for entry in (path, root, directory):
            good = stat.S_IMODE(entry.stat().st_mode)
            os.chown(entry, NOBODY, -1)
            entry.chmod(good & 0o555)
            assert ask(path) == "trust-policy-writable"
            os.chown(entry, 0, NOBODY)
            entry.chmod(good | 0o020)
            assert ask(path) == "trust-policy-writable"
            entry.chmod(good)
        path.chmod(0o600)
        os.chown(path, 0, 0)
        assert ask(path) == "trust-policy-unreadable"
        path.chmod(0o644)
        assert ask(path) == "read"


@pytest.mark.parametrize(
    ("entry", "user", "simulated", "changeable"),
    [
        # another user's, as it should be
        ({"owner": 0, "mode": FILE | 0o644}, 1000, False, False),
        ({"owner": 0, "mode": FILE | 0o640}, 1000, False, False),
        ({"owner": 7, "mode": FILE | 0o644}, 1000, False, False),
        ({"owner": 0, "mode": DIRECTORY | 0o755}, 1000, False, False),
        ({"owner": 0, "mode": LINK | 0o777, "writable": True}, 1000, False, False),
        # one's own, even read-only: an owner can change the mode
        ({"owner": 1000, "mode": FILE | 0o444}, 1000, False, True),
        ({"owner": 1000, "mode": DIRECTORY | 0o555}, 1000, False, True),
        ({"owner": 1000, "mode": LINK | 0o777}, 1000, False, True),
        # by group, by others, by an access control list
        ({"owner": 0, "mode": FILE | 0o664}, 1000, False, True),
        ({"owner": 0, "mode": FILE | 0o646}, 1000, False, True),
        ({"owner": 0, "mode": FILE | 0o644, "writable": True}, 1000, False, True),
        ({"owner": 0, "mode": DIRECTORY | 0o777}, 1000, False, True),
        ({"owner": 0, "mode": DIRECTORY | 0o755, "writable": True}, 1000, False, True),
        # a sticky directory protects the entries of others; a sticky file does not
        ({"owner": 0, "mode": DIRECTORY | 0o1777, "writable": True}, 1000, False, False),
        ({"owner": 1000, "mode": DIRECTORY | 0o1777, "writable": True}, 1000, False, True),
        ({"owner": 0, "mode": FILE | 0o1666, "writable": True}, 1000, False, True),
        # mounted read-only
        ({"owner": 1000, "mode": DIRECTORY | 0o777, "read_only": True}, 1000, False, False),
        ({"owner": 7, "mode": FILE | 0o666, "read_only": True}, 0, False, False),
        # root can write everything; the owner must be root
        ({"owner": 0, "mode": FILE | 0o644, "writable": True}, 0, False, False),
        ({"owner": 0, "mode": DIRECTORY | 0o1777, "writable": True}, 0, False, False),
        ({"owner": 7, "mode": FILE | 0o644, "writable": True}, 0, False, True),
        ({"owner": 0, "mode": FILE | 0o664, "writable": True}, 0, False, True),
        # the simulated world
        ({"owner": 1000, "mode": FILE | 0o644, "writable": True}, 1000, True, False),
        ({"owner": 0, "mode": FILE | 0o644}, 1000, True, False),
        ({"owner": 7, "mode": FILE | 0o644}, 1000, True, True),
        ({"owner": 1000, "mode": FILE | 0o664, "writable": True}, 1000, True, True),
    ],
)
def test_who_could_change_an_entry(
    entry: dict[str, int], user: int, *, simulated: bool, changeable: bool
) -> None:
    defaults = {"path": Path("/etc/x"), "writable": False, "read_only": False}
    seen = Entry(**{**defaults, **entry})  # type: ignore[arg-type]
    assert is_changeable(seen, user=user, simulated=simulated) is changeable


def test_a_policy_lies_outside_of_what_it_judges(trust_file: Path, tmp_path: Path) -> None:
    rehearsal = Environment.REHEARSAL
    link = tmp_path / "link.toml"
    link.symlink_to("etc/../etc/trust.toml")
    for name in ("acme.pem", "dev.pem"):
        (tmp_path / name).symlink_to(f"etc/{name}")
    for path in (trust_file, link, tmp_path / "project/../etc/trust.toml"):
        (tmp_path / "project").mkdir(exist_ok=True)
        assert read_trust_policy(path, environment=rehearsal, outside=tmp_path / "other")
        assert reason_of(path, rehearsal, outside=trust_file.parent) == "trust-policy-in-project"
    linked_project = tmp_path / "linked"
    linked_project.symlink_to(trust_file.parent)
    assert reason_of(trust_file, rehearsal, outside=linked_project) == "trust-policy-in-project"
    inside = tmp_path / "project/trust.toml"
    inside.symlink_to(trust_file)
    assert reason_of(inside, rehearsal, outside=tmp_path / "project") == "trust-policy-in-project"


def test_a_policy_may_be_named_from_inside_the_project(
    trust_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--trust ../trust.toml` begins above the project; a copy within stays refused, however it is named."""
    rehearsal, project = Environment.REHEARSAL, tmp_path / "project"
    (project / "deep").mkdir(parents=True)
    copies = {name: (trust_file.parent / name).read_bytes() for name in ("trust.toml", "acme.pem", "dev.pem")}
    for name, content in copies.items():
        (project / name).write_bytes(content)
        (project / name).chmod(0o600)
    for here, above in ((project, ".."), (project / "deep", "../..")):
        monkeypatch.chdir(here)
        assert read_trust_policy(Path(f"{above}/etc/trust.toml"), environment=rehearsal, outside=project)
        inside = Path(f"{above}/project/trust.toml")
        assert read_trust_policy(inside, environment=rehearsal, outside=None)
        assert reason_of(inside, rehearsal, outside=project) == "trust-policy-in-project"
    assert reason_of(Path("../trust.toml"), rehearsal, outside=project) == "trust-policy-in-project"


def test_a_root_lies_outside_of_what_it_judges_too(trust_file: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    trust_file.with_name("dev.pem").rename(project / "dev.pem")
    trust_file.with_name("dev.pem").symlink_to(project / "dev.pem")
    assert read_trust_policy(trust_file, environment=Environment.REHEARSAL, outside=None)
    assert reason_of(trust_file, Environment.REHEARSAL, outside=project) == "trust-policy-in-project"


def test_a_policy_that_cannot_be_read_trusts_nobody(trust_file: Path) -> None:
    rehearsal = Environment.REHEARSAL
    assert read_trust_policy(trust_file, environment=rehearsal, outside=None)
    assert reason_of(trust_file, Environment.STAGING).startswith(("nobody-trusted", "trust-policy-writable"))
    missing = trust_file.with_name("none.toml")
    assert reason_of(missing, rehearsal) == "trust-policy-missing"
    missing.symlink_to(missing)
    assert reason_of(missing, rehearsal) == "trust-policy-unreadable"
    assert reason_of(trust_file.parent, rehearsal) == "trust-policy-unreadable"
    assert reason_of(trust_file / "x", rehearsal) == "trust-policy-unreadable"
    trust_file.with_name("dev.pem").unlink()
    assert reason_of(trust_file, rehearsal) == "trust-policy-missing"
    for content in (b"", b"\xff"):
        trust_file.write_bytes(content)
        assert reason_of(trust_file, rehearsal) == "trust-policy-malformed"


def test_a_policy_and_its_roots_have_a_length(trust_file: Path) -> None:
    for path, comment in ((trust_file, b"#"), (trust_file.with_name("dev.pem"), b"\n")):
        good = path.read_bytes()
        path.write_bytes(good + comment * (256 * 1024 - len(good)))
        assert read_trust_policy(trust_file, environment=Environment.REHEARSAL, outside=None)
        path.write_bytes(good + comment * (256 * 1024 - len(good) + 1))
        assert reason_of(trust_file, Environment.REHEARSAL) == "trust-policy-malformed"
        path.write_bytes(good)
