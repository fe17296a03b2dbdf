"""A ring of the framework's own keys: by file, per purpose and environment, newest first, and never half."""

import asyncio
import base64
import json
import os
from types import SimpleNamespace

import pytest
import structlog
from pydantic import ValidationError

from launchworthy.server import own_keys
from launchworthy.server.own_keys import read_own_keys
from launchworthy.settings import KeyRing, parse_secret_ref
from launchworthy.settings.tables import AuditSettings
from launchworthy.vocabulary import Environment, ProblemError, SecretRef, SecretScheme

OLD, NEW = bytes(range(32)), bytes(range(1, 49))


def lines(*keys):
    return b"".join(base64.b64encode(key) + b"\n" for key in keys)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "audit-hmac"
    path.touch(mode=0o600)
    path.write_bytes(lines(NEW, OLD))
    return path


def ring(path, purpose="audit-hmac", environment=Environment.PRODUCTION):
    return KeyRing(path, purpose=purpose, environment=environment)


def test_the_first_line_is_the_newest_and_all_are_there(file):
    found = ring(file)
    assert found.newest == found.keys[0]
    assert len(found.keys) == 2
    assert all(len(key.material) == 32 and len(key.kid) == 8 for key in found.keys)


def test_what_is_used_is_not_what_is_in_the_file(file):
    for key in ring(file).keys:
        assert key.material not in (NEW, OLD, NEW[:32])
        assert key.kid not in (NEW.hex()[:8], OLD.hex()[:8])


def test_each_purpose_and_each_environment_has_keys_of_its_own(file):
    every = [
        key
        for purpose in ("audit-hmac", "request-state")
        for environment in Environment
        for key in ring(file, purpose, environment).keys
    ]
    assert len({key.material for key in every}) == len({key.kid for key in every}) == len(every) == 16


def test_nothing_of_a_key_is_shown(file):
    found = ring(file)
    for shown in (repr(found), repr(found.newest), str(found.newest)):
        assert found.newest.kid in shown
        assert repr(found.newest.material)[2:-1] not in shown
        assert "material" not in shown


def test_a_file_that_changed_is_read_again(file):
    found = ring(file)
    before = found.newest
    assert found.reread() is False
    file.write_bytes(lines(b"x" * 32, NEW))
    assert found.reread() is True
    assert found.newest != before
    assert found.keys[1] == before


def test_a_swapped_link_inside_the_folder_is_followed_as_kubernetes_does_it(tmp_path):
    for name, key in (("..1", OLD), ("..2", NEW)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "key").touch(mode=0o440)
        os.chmod(tmp_path / name / "key", 0o600)  # noqa: PTH101
        (tmp_path / name / "key").write_bytes(lines(key))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "key").symlink_to("..data/key")
    found = ring(tmp_path / "key")
    before = found.newest
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert found.reread()
    assert found.newest != before


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "holds 0 keys"),
        (b"\n\n", "holds 0 keys"),
        (b"not base64!\n", "no base64"),
        (lines(b"x" * 31), "less than 32 bytes"),
        (lines(NEW, NEW), "twice"),
        (lines(*(bytes([n]) * 32 for n in range(9))), "holds 9 keys"),
        (b"A" * 70_000, "no file of keys"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_of_something_else_is_refused_and_never_replaces_what_was_read(file, content, what):
    found = ring(file)
    kept = found.keys
    file.write_bytes(content)
    with pytest.raises(ProblemError, match=what) as refused:
        found.reread()
    assert found.keys == kept
    assert "not base64" not in str(refused.value).replace("no base64", "")
    with pytest.raises(ProblemError, match="bad-framework-key"):
        ring(file)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o620, 0o660])
def test_a_file_that_others_reach_is_refused(file, mode):
    file.chmod(mode)
    with pytest.raises(ProblemError, match="read by others"):
        ring(file)


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600, 0o640])
def test_a_file_for_this_user_and_perhaps_its_group_is_taken(file, mode):
    file.chmod(mode)
    assert len(ring(file).keys) == 2


def test_a_link_out_of_the_folder_is_refused(file, tmp_path):
    (tmp_path / "inner").mkdir()
    link = tmp_path / "inner" / "key"
    link.symlink_to(file)
    with pytest.raises(ProblemError, match="leads out"):
        ring(link)


def test_what_is_not_there_or_no_file_is_refused(tmp_path):
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(ProblemError, match="bad-framework-key"):
            ring(path)


def test_a_reference_is_a_file_or_refused(file, tmp_path):
    told = {"purpose": "audit-hmac", "environment": Environment.PRODUCTION}
    reference = parse_secret_ref(f"file:{file}", credentials_directory=str(tmp_path))
    assert KeyRing.of(reference, **told).keys == ring(file).keys
    for text in ("openbao:kv/audit#key", "file:/run/secrets/audit#field", "file:/run/secrets/audit@3"):
        with pytest.raises(ProblemError, match="bad-framework-key"):
            KeyRing.of(parse_secret_ref(text), **told)


def test_the_settings_take_a_file_for_the_audits_key_and_nothing_else():
    known = {"directory": "/var/log/launchworthy"}
    AuditSettings.model_validate_json(json.dumps({**known, "hmac_key": "file:/run/secrets/audit-hmac"}))
    for wrong in ("openbao:kv/audit#hmac", "file:/etc/audit-hmac", "hunter2", "file:/run/secrets/../x"):
        with pytest.raises(ValidationError, match=r"hmac_key|read from a file"):
            AuditSettings.model_validate_json(json.dumps({**known, "hmac_key": wrong}))


def test_one_key_in_two_files_is_noticed_and_never_shown(file, tmp_path):
    other = tmp_path / "approval"
    other.touch(mode=0o600)
    other.write_bytes(lines(bytes(range(2, 50)), OLD))
    assert ring(file).shares_a_key_with(ring(other, purpose="approval"))
    other.write_bytes(lines(bytes(range(2, 50))))
    assert not ring(file).shares_a_key_with(ring(other, purpose="approval"))


class Files:
    """The framework's own keys of a server, as its settings name them."""

    def __init__(self, folder):
        self.audit, self.control = (folder / name for name in ("audit", "control"))
        for path, key in ((self.audit, NEW), (self.control, OLD)):
            path.touch(mode=0o600)
            path.write_bytes(lines(key))

    def read(self):
        def reference(path):
            return SecretRef(scheme=SecretScheme.FILE, locator=str(path), key=None, version=None)

        settings = SimpleNamespace(
            audit=SimpleNamespace(hmac_key=reference(self.audit)),
            state=SimpleNamespace(approval_key=None),
            control=SimpleNamespace(key=reference(self.control)),
            environment=Environment.PRODUCTION,
            sources={"control.key": "config/production.toml:9"},
        )
        return read_own_keys(settings)


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def test_a_server_with_one_key_for_two_purposes_does_not_start(files):
    found = files.read()
    assert (found.audit.purpose, found.approval, found.control.purpose) == (
        "audit-hmac",
        None,
        "control-list",
    )
    files.control.write_bytes(lines(NEW))
    with pytest.raises(ProblemError) as refused:
        files.read()
    [problem] = refused.value.problems
    assert (problem.reason, problem.field) == ("bad-framework-key", "control.key")
    assert base64.b64encode(NEW).decode() not in str(problem)


@pytest.mark.parametrize("place", [0, 1])
def test_a_key_that_another_purpose_uses_is_not_taken_later_either(files, place):
    found = files.read()
    before = found.control.keys
    both = [b"x" * 32]
    both.insert(place, NEW)
    files.control.write_bytes(lines(*both))
    for _ in range(2):  # as often as it is looked at
        with pytest.raises(ProblemError, match=f"holds a key of `{files.audit}` too") as refused:
            found.control.reread()
    assert base64.b64encode(NEW).decode() not in str(refused.value)
    assert found.control.keys == before
    files.control.write_bytes(lines(b"x" * 32))
    assert found.control.reread()
    assert found.control.keys != before


def test_two_files_that_come_to_hold_one_key_together_do_not_both_count(files):
    found = files.read()
    for path in (files.audit, files.control):
        path.write_bytes(lines(b"x" * 32))
    assert found.audit.reread()
    with pytest.raises(ProblemError, match="bad-framework-key"):
        found.control.reread()


def test_a_key_that_one_purpose_has_let_go_is_free_for_another(files):
    found = files.read()
    files.audit.write_bytes(lines(b"x" * 32))
    files.control.write_bytes(lines(NEW))
    with pytest.raises(ProblemError):
        found.control.reread()
    found.audit.reread()
    assert found.control.reread()


def test_a_bad_file_is_said_once_and_a_good_one_is_taken(files, monkeypatch):
    monkeypatch.setattr(own_keys, "KEY_SECONDS", 0.001)
    found, taken = files.read(), []

    async def until(condition):
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 - what follows the file is another task
                await asyncio.sleep(0.001)

    async def test():
        looks, look = [], found.control.reread
        monkeypatch.setattr(KeyRing, "reread", lambda _: looks.append(1) or look())
        following = asyncio.create_task(own_keys.follow(found.control, what="the key", take=taken.append))
        files.control.write_bytes(lines(NEW))
        await until(lambda: len(looks) > 5)
        assert taken == []
        files.control.write_bytes(lines(b"x" * 32))
        await until(lambda: taken)
        following.cancel()
        await asyncio.wait({following})

    with structlog.testing.capture_logs() as said:
        asyncio.run(test())
    assert taken == [found.control.newest]
    assert [(each["log_level"], each["event"]) for each in said] == [
        ("error", "the key cannot be used as it is now; the last good one stays"),
        ("info", "the key has changed"),
    ]
    assert str(files.audit) in said[0]["problem"]
