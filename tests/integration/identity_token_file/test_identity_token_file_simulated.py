"""The simulated platform's token file, however short its life, is one that a server works with."""

import asyncio
import time

import pytest

from launchworthy.identity import Phase
from launchworthy.identity.token_file import MIN_LEFT, TokenFileIdentity
from launchworthy.testing.projected_token import ProjectedTokenFile
from launchworthy.vocabulary import SIMULATED_TRUST_DOMAIN

pytestmark = pytest.mark.anyio

SUBJECT = f"{SIMULATED_TRUST_DOMAIN}:simulated:orders"


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0.005)


async def test_a_token_of_a_second_is_renewed_in_time_ends_in_time_and_comes_back(tmp_path):
    told = []
    with ProjectedTokenFile(tmp_path / "token", subject=SUBJECT, usable=1.0) as file:
        identity = TokenFileIdentity(
            path=file.path,
            expected_id=SUBJECT,
            trust_domains=(SIMULATED_TRUST_DOMAIN,),
            owner_uids=(),
            clock=time.time,
            look_every=0.02,
        )
        identity.on_change(told.append)
        await identity.start(5)
        await until(lambda: [each.kind.value for each in told].count("rotated") >= 2)
        file.stop_renewing()
        await until(lambda: identity.status().phase is Phase.EXPIRED)
        last = max(each.not_after for each in told)
        assert last - MIN_LEFT <= time.time() < last, "it ended too early, or was used to its last second"
        file.renew(exp=int(time.time()) + 600)
        await until(lambda: identity.status().phase is Phase.READY)
        file.renew(sub=f"{SUBJECT}-of-somebody-else")
        await until(lambda: identity.status().phase is Phase.REVOKED)
        await identity.aclose()
    assert told[0].kind.value == "acquired"
