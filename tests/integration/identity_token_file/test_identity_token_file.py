"""A projected token: re-read when it changes, shown to its one audience, expired before it expires."""

import asyncio
import hashlib
import os
import time

import pytest

from launchworthy.identity import IdentityUnavailable, Phase
from launchworthy.identity.cause import Cause, SourceError
from launchworthy.identity.token_file import TokenFileIdentity
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.vocabulary import EX_CONFIG, EX_TEMPFAIL, Reason, StartupRefused

pytestmark = pytest.mark.anyio

SUBJECT = "system:serviceaccount:simulated:orders"
ISSUER = "https://dev.invalid/simulated"
LOGIN = "https://login.dev.invalid"


class Platform:
    """Writes tokens as kubelet does: into a new directory, and a link is swapped."""

    def __init__(self, directory):
        directory.chmod(0o755)
        self.ahead = 0.0
        self.directory = directory
        self.authority = SimulatedAuthority(clock=self.clock)
        self.path = directory / "token"
        self.versions = 0
        self.told = []

    def clock(self):
        return time.time() + self.ahead

    def mint(self, *, ttl=600, subject=SUBJECT, **claims):
        return self.authority.mint_jwt(subject, (LOGIN,), ttl=ttl, **{"iss": ISSUER, **claims})

    def project(self, token):
        self.versions += 1
        version = self.directory / f"..{self.versions}"
        version.mkdir(mode=0o755)
        (version / "token").write_text(token)
        (version / "token").chmod(0o644)
        data, new = self.directory / "..data", self.directory / "..new"
        new.symlink_to(version.name)
        new.rename(data)
        if not self.path.is_symlink():
            self.path.symlink_to("..data/token")

    def identity(self, **other):
        identity = TokenFileIdentity(
            **{
                "path": self.path,
                "expected_id": SUBJECT,
                "trust_domains": ("dev.invalid",),
                "owner_uids": (),
                "clock": self.clock,
                "look_every": 0.02,
                **other,
            }
        )
        identity.on_change(self.told.append)
        return identity

    def kinds(self):
        return [change.kind.value for change in self.told]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def platform(tmp_path):
    return Platform(tmp_path)


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0.005)


async def test_a_good_token_is_an_identity(platform):
    token = platform.mint()
    platform.project(token)
    identity = platform.identity()
    await identity.start(5)
    status = identity.status()
    assert (status.phase, status.subject, status.reason) == (Phase.READY, SUBJECT, None)
    assert (await identity.assertion(LOGIN)).reveal() == token
    await identity.aclose()
    assert identity.status().phase is Phase.CLOSED
    with pytest.raises(IdentityUnavailable, match="CLOSED"):
        await identity.assertion(LOGIN)
    await identity.aclose()


async def test_a_swapped_link_is_a_rotation(platform):
    platform.project(platform.mint())
    identity = platform.identity()
    await identity.start(5)
    renewed = platform.mint(jti="2")
    platform.project(renewed)
    assert (await identity.assertion(LOGIN)).reveal() == renewed
    await until(lambda: platform.kinds() == ["acquired", "rotated"])
    assert platform.told[-1].serial == hashlib.sha256(renewed.encode()).hexdigest()
    await identity.aclose()


async def test_an_idle_server_sees_a_rewritten_file_too(platform):
    platform.project(platform.mint())
    identity = platform.identity()
    await identity.start(5)
    platform.project(platform.mint(jti="2"))
    await until(lambda: platform.kinds() == ["acquired", "rotated"])
    await identity.aclose()


async def test_it_is_shown_to_its_one_audience_only(platform):
    platform.project(platform.mint())
    identity = platform.identity()
    await identity.start(5)
    with pytest.raises(IdentityUnavailable, match=r"is for `https://login\.dev\.invalid`, not for"):
        await identity.assertion("https://evil.example")
    assert await identity.assertion(LOGIN)
    await identity.aclose()


async def test_it_has_no_certificate_and_trusts_no_bundle_and_its_proof_names_the_token(platform):
    token = platform.mint()
    platform.project(token)
    identity = platform.identity()
    await identity.start(5)
    with pytest.raises(IdentityUnavailable, match="has no certificate"):
        identity.x509()
    with pytest.raises(IdentityUnavailable, match="is not trusted here"):
        identity.bundle_for("dev.invalid")
    proof = await identity.prove(b"payload")
    assert (proof.kind, proof.token) == ("token", hashlib.sha256(token.encode()).hexdigest())
    assert (proof.chain, proof.bundle, proof.signature, proof.algorithm) == ((), (), "", "none")
    await identity.aclose()


async def test_it_goes_stale_and_ends_a_while_before_the_token_does_and_comes_back(platform):
    platform.project(platform.mint(ttl=600))
    identity = platform.identity()
    await identity.start(5)
    platform.ahead += 530
    assert identity.status().phase is Phase.READY
    platform.ahead += 20
    assert identity.status().phase is Phase.STALE
    identity.require()
    await until(lambda: platform.kinds() == ["acquired", "refresh_failed"])
    platform.ahead += 40
    assert identity.status().phase is Phase.EXPIRED
    assert identity.status().reason is Reason.IDENTITY_EXPIRED
    with pytest.raises(IdentityUnavailable, match="EXPIRED"):
        await identity.assertion(LOGIN)
    with pytest.raises(IdentityUnavailable, match="EXPIRED"):
        await identity.prove(b"payload")
    await until(lambda: platform.kinds()[2:] == ["expired"])
    platform.project(platform.mint())
    await until(lambda: identity.status().phase is Phase.READY)
    await until(lambda: platform.kinds()[2:] == ["expired", "acquired"])
    await identity.aclose()


BAD = {
    "garbage": lambda _: "garbage",
    "empty": lambda _: "",
    "expired": lambda platform: platform.mint(ttl=-1),
    "about to expire": lambda platform: platform.mint(ttl=14),
    "two audiences": lambda platform: platform.mint(aud=["a", "b"]),
    "not yet": lambda platform: platform.mint(nbf=int(platform.clock()) + 60),
}
REASONS = {
    "garbage": "not-an-identity-token",
    "empty": "not-an-identity-token",
    "expired": "expired-identity",
    "about to expire": "expired-identity",
    "two audiences": "identity-token-audience",
    "not yet": "identity-not-yet-valid",
}


async def test_a_file_that_stopped_changing_is_told_before_its_token_ends_and_after(platform):
    platform.project(platform.mint(ttl=600))
    identity = platform.identity()
    await identity.start(5)
    platform.ahead += 530
    await asyncio.to_thread(identity._look)
    assert (identity.status().phase, identity.status().detail) == (Phase.READY, "")
    platform.ahead += 20
    await until(lambda: "has not changed, and its token ends at" in identity.status().detail)
    assert identity.status().phase is Phase.STALE
    assert identity._custody.failure().cause is Cause.NOT_RENEWED
    await until(lambda: platform.kinds() == ["acquired", "refresh_failed"])
    platform.ahead += 40
    assert identity.status().phase is Phase.EXPIRED
    assert "has not changed" in identity.status().detail
    await until(lambda: platform.kinds() == ["acquired", "refresh_failed", "expired"])
    platform.project(platform.mint())
    await until(lambda: identity.status().phase is Phase.READY)
    assert identity.status().detail == ""
    await identity.aclose()


async def test_a_token_that_came_too_late_is_told_apart(platform):
    platform.project(platform.mint())
    identity = platform.identity()
    await identity.start(5)
    platform.project(platform.mint(ttl=-1))
    await until(lambda: identity._custody.failure() is not None)
    assert identity._custody.failure().cause is Cause.EXPIRED
    await identity.aclose()


@pytest.mark.parametrize("bad", BAD)
async def test_a_bad_token_keeps_the_last_good_one_and_is_told_and_passes(platform, bad):
    good = platform.mint()
    platform.project(good)
    identity = platform.identity()
    await identity.start(5)
    platform.project(BAD[bad](platform))
    await until(lambda: platform.kinds() == ["acquired", "refresh_failed"])
    assert identity.status().phase is Phase.READY
    assert identity.status().detail != ""
    assert (await identity.assertion(LOGIN)).reveal() == good
    platform.project(platform.mint(jti="2"))
    await until(lambda: platform.kinds()[-1] == "rotated")
    assert identity.status().detail == ""
    await identity.aclose()


@pytest.mark.parametrize("bad", BAD)
async def test_a_bad_token_at_the_start_is_waited_out_and_named(platform, bad):
    platform.project(BAD[bad](platform))
    with pytest.raises(StartupRefused) as refused:
        await platform.identity().start(0.1)
    assert (refused.value.exit_code, refused.value.problems[0].reason) == (EX_TEMPFAIL, REASONS[bad])
    identity = platform.identity()
    starting = asyncio.create_task(identity.start(5))
    await until(lambda: identity.status().detail != "there is no identity yet")
    assert not starting.done()
    platform.project(platform.mint())
    await starting
    assert identity.status().phase is Phase.READY
    await identity.aclose()


async def test_a_token_of_somebody_else_revokes_and_ours_brings_it_back(platform):
    platform.project(platform.mint())
    identity = platform.identity()
    await identity.start(5)
    platform.project(platform.mint(subject="system:serviceaccount:simulated:default"))
    await until(lambda: identity.status().phase is Phase.REVOKED)
    with pytest.raises(IdentityUnavailable, match="REVOKED"):
        await identity.assertion(LOGIN)
    platform.project(platform.mint())
    await until(lambda: identity.status().phase is Phase.READY)
    await identity.aclose()


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"expected_id": "system:serviceaccount:simulated:default"}, "unexpected-identity"),
        ({"trust_domains": ("acme.example",)}, "unexpected-trust-domain"),
        ({"trust_domains": ()}, "unexpected-trust-domain"),
    ],
)
async def test_another_identity_than_expected_refuses_the_start_at_once(platform, other, reason):
    platform.project(platform.mint())
    with pytest.raises(StartupRefused) as refused:
        await platform.identity(**other).start(10)
    assert (refused.value.exit_code, refused.value.problems[0].reason) == (EX_CONFIG, reason)


async def test_a_file_that_is_not_there_is_waited_for_and_named(platform):
    with pytest.raises(StartupRefused) as refused:
        await platform.identity().start(0.1)
    assert refused.value.problems[0].what == f"no identity within 0.1 s: there is no file `{platform.path}`"
    identity = platform.identity()
    starting = asyncio.create_task(identity.start(5))
    await until(lambda: identity.status().detail != "there is no identity yet")
    platform.project(platform.mint())
    await starting
    await identity.aclose()


async def test_a_file_that_goes_away_keeps_the_last_good_token(platform):
    platform.project(platform.mint())
    identity = platform.identity()
    await identity.start(5)
    (platform.directory / "..data").rename(platform.directory / "..gone")
    await until(lambda: platform.kinds() == ["acquired", "refresh_failed"])
    assert identity.status().phase is Phase.READY
    (platform.directory / "..gone").rename(platform.directory / "..data")
    await until(lambda: identity.status().detail == "")
    await identity.aclose()


async def test_a_file_that_others_can_write_refuses_the_start_at_once(platform):
    platform.project(platform.mint())
    platform.path.resolve().chmod(0o666)
    with pytest.raises(StartupRefused) as refused:
        await platform.identity().start(10)
    assert refused.value.problems[0].reason == "untrusted-identity-source"
    assert refused.value.exit_code == EX_CONFIG


async def test_a_file_that_is_replaced_between_the_check_and_the_reading_is_not_taken(platform):
    platform.project(platform.mint())
    checked = platform.path.stat()
    identity = platform.identity()
    assert identity._read(checked)
    platform.project(platform.mint())
    with pytest.raises(SourceError, match="was replaced while it was read"):
        identity._read(checked)
    platform.path.unlink()
    with pytest.raises(SourceError, match="cannot be read"):
        identity._read(checked)
    await identity.aclose()


async def test_a_defect_of_ours_is_told_and_ends_no_watch(platform):
    platform.project(platform.mint())
    identity = platform.identity()
    await identity.start(5)
    look, identity._read = identity._read, None
    platform.project(platform.mint(jti="2"))
    await until(lambda: platform.kinds() == ["acquired", "refresh_failed"])
    assert identity.status().detail.startswith("TypeError")
    identity._read = look
    await until(lambda: platform.kinds()[-1] == "rotated")
    await identity.aclose()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_a_file_of_another_user_is_refused_unless_that_user_is_configured(platform):
    platform.project(platform.mint())
    os.chown(platform.path.resolve(), 12345, -1)
    with pytest.raises(StartupRefused) as refused:
        await platform.identity().start(10)
    assert "belongs to uid 12345" in refused.value.problems[0].what
    identity = platform.identity(owner_uids=(12345,))
    await identity.start(5)
    await identity.aclose()
