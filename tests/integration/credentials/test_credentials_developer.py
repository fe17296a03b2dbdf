"""A developer's own sign-in at a sandbox: by a device code, by a browser, and through a running server."""

import asyncio
import re
import shutil
import time
from pathlib import Path

import httpx2
import pytest
from issuing import SCOPES, UPSTREAM, house
from lending_orders import Borrowing

from launchworthy.credentials import Revocation
from launchworthy.credentials.brokers.developer import Developer
from launchworthy.credentials.errors import BrokerError
from launchworthy.credentials.person_sign_in import PersonSignIn
from launchworthy.testing.issuer import PERSON, SimulatedIssuer
from launchworthy.testing.issuer_registration import RegisteredClient
from launchworthy.testing.project import TestedProject
from launchworthy.testing.upstream import SimulatedUpstream
from launchworthy.testing.world import wait_until
from launchworthy.vocabulary import ToolError

CLIENT = "developers"
EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "orders"


def register(issuer):
    issuer.clients.add(
        RegisteredClient(client_id=CLIENT, keys=None, redirect_uris=("http://127.0.0.1/callback",))
    )


@pytest.fixture
def place():
    with house() as found:
        register(found.issuer)
        yield found


def press(url, answer="yes"):
    """What a person does in a browser: open the page, press a button, be sent back."""
    with httpx2.Client(trust_env=False) as browser:
        page = browser.get(url)
        handle = re.search(r'name="request" value="([^"]+)"', page.text)
        origin = url.partition("/authorize")[0]
        sent = browser.post(f"{origin}/authorize", data={"request": handle[1], "answer": answer})
        browser.get(sent.headers["location"])


class Desk:
    """A developer at their screen; `acts` is what they do with each page that they are shown."""

    def __init__(self, place, acts, clock=time.time):
        self.shown, self.pauses = [], []
        self._acts = acts
        server = place.server(proven=False)
        way = PersonSignIn(
            server=server, client=CLIENT, resource=UPSTREAM, local=True, show=self._show, sleep=self._sleep
        )
        self.broker = Developer(server, way, clock=clock, new_id=lambda: "x")

    def _show(self, page, code):
        self.shown.append((page, code))
        acting = asyncio.get_running_loop().run_in_executor(None, self._acts, page, code)
        acting.add_done_callback(lambda done: done.exception())

    async def _sleep(self, seconds):
        self.pauses.append(seconds)
        await asyncio.sleep(0.01)


async def signed_in(desk, request):
    """Ask until the sign-in is through, as a developer calls the tool again."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await desk.broker.issue(request)
            except BrokerError as error:
                if "not signed in yet" not in str(error):
                    raise


@pytest.mark.parametrize("device", [False, True])
def test_who_signs_in_lends_their_own_token_for_the_time_of_each_call(place, device):
    place.issuer.device.offered = device
    place.issuer.offer(UPSTREAM, SCOPES, lifetime=900)
    acts = (lambda _, code: place.issuer.device.approve(code)) if device else (lambda url, _: press(url))
    desk = Desk(place, acts)

    async def run():
        leases = [await signed_in(desk, place.request()), await desk.broker.issue(place.request(ttl=60))]
        other = await signed_in(desk, place.request("refunds:read"))
        await desk.broker.aclose()
        return (*leases, other)

    one, two, other = asyncio.run(run())
    assert one.secret.reveal() == two.secret.reveal() != other.secret.reveal()
    assert len(desk.shown) == 2  # one sign-in for each set of scopes
    assert (one.broker, one.scopes, one.revocation) == ("developer", ("refunds:create",), Revocation.KEEPER)
    assert 118 <= one.not_after - time.time() <= 120
    assert 58 <= two.not_after - time.time() <= 60
    assert place.issuer.good_for(one.secret.reveal(), UPSTREAM)
    assert one.secret.reveal() not in repr(one)


def test_a_device_waits_as_long_as_it_is_told_and_asks_less_often_when_it_must(place):
    device = place.issuer.device
    device.offered, device.slow_downs, device.interval = True, 2, 3

    def patient(_, code):
        wait_until(lambda: len(desk.pauses) > 3, what="the fourth pause")
        device.approve(code)

    desk = Desk(place, patient)
    lease = asyncio.run(signed_in(desk, place.request()))
    assert lease.secret.reveal()
    assert desk.pauses[:4] == [3, 8, 13, 13]
    [(page, code)] = desk.shown
    assert page == f"{place.issuer.issuer}/device"
    assert re.fullmatch(r"\d{8}", code)


def test_one_sign_in_is_under_way_for_all_who_wait(place):
    place.issuer.device.offered = True
    desk = Desk(place, lambda _, code: (time.sleep(0.2), place.issuer.device.approve(code)))

    async def run():
        return await asyncio.gather(*(desk.broker.issue(place.request()) for _ in range(20)))

    leases = asyncio.run(run())
    assert len({lease.secret.reveal() for lease in leases}) == 1
    assert len(desk.shown) == 1


def test_a_token_that_is_over_means_signing_in_again(place):
    place.issuer.device.offered = True
    now = [time.time()]
    desk = Desk(place, lambda _, code: place.issuer.device.approve(code), clock=lambda: now[0])

    async def run():
        await signed_in(desk, place.request())
        now[0] += 119
        await desk.broker.issue(place.request())
        assert len(desk.shown) == 1
        now[0] += 1
        await signed_in(desk, place.request())

    asyncio.run(run())
    assert len(desk.shown) == 2


@pytest.mark.parametrize("device", [False, True])
def test_a_no_gives_nothing_and_the_next_call_may_ask_again(place, device):
    place.issuer.device.offered = device
    answers = iter(["no", "yes"])

    def acts(url, code):
        answer = next(answers)
        if not device:
            press(url, answer)
        elif answer == "no":
            place.issuer.device.decline(code)
        else:
            place.issuer.device.approve(code)

    desk = Desk(place, acts)

    async def run():
        with pytest.raises(BrokerError, match="access_denied"):
            await signed_in(desk, place.request())
        return await signed_in(desk, place.request())

    assert asyncio.run(run()).secret.reveal()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"verification_uri": "http://login.acme.example/device"}, "is http"),
        ({"verification_uri": "javascript:alert(1)"}, "page to sign in at"),
        ({"verification_uri": None}, "page to sign in at"),
        ({"user_code": "12\x1b[2J34"}, "no device code"),
        ({"user_code": None}, "no device code"),
        ({"device_code": None}, "no device code"),
        ({"expires_in": None}, "for seconds"),
        ({"interval": 0}, "for seconds"),
        ({"interval": True}, "for seconds"),
    ],
)
def test_an_answer_that_nobody_should_follow_is_not_shown(place, changes, what):
    place.issuer.device.offered, place.issuer.device.changes = True, changes
    desk = Desk(place, lambda *_: None)
    with pytest.raises(BrokerError, match=what):
        asyncio.run(desk.broker.issue(place.request()))
    assert desk.shown == []


def test_a_page_that_sends_the_browser_back_with_another_answer_is_not_believed(place):
    def strange(url, _):
        redirect = re.search(r"redirect_uri=([^&]+)", url)[1].replace("%3A", ":").replace("%2F", "/")
        with httpx2.Client(trust_env=False) as browser:
            browser.get(f"{redirect}?code=stolen&state=another")

    desk = Desk(place, strange)
    with pytest.raises(BrokerError, match="another question"):
        asyncio.run(signed_in(desk, place.request()))
    assert place.issuer.counts["token"] == 0


def test_what_ends_while_somebody_should_sign_in_waits_for_nobody(place):
    async def run(device):
        place.issuer.device.offered = device
        desk = Desk(place, lambda *_: None)
        asking = asyncio.create_task(desk.broker.issue(place.request()))
        async with asyncio.timeout(10):
            await asyncio.to_thread(wait_until, lambda: desk.shown, what="the page")
            began = time.monotonic()
            await desk.broker.aclose()
        with pytest.raises((BrokerError, asyncio.CancelledError)):
            await asking
        return time.monotonic() - began

    assert asyncio.run(run(device=True)) < 3
    assert asyncio.run(run(device=False)) < 3


TOOL = '''


@tool
async def try_sandbox(call: Call[OrderStore]) -> str:
    """Post a payment at the sandbox."""
    async with call.upstream("sandbox") as sandbox:
        return str((await sandbox.post("/payments", json={})).status_code)
'''
MANIFEST = """
[tools.try_sandbox]
effect = "write"
scopes = ["orders:write"]
credentials.sandbox = { scopes = ["refunds:create"], ttl = "2m" }
"""
SETTINGS = """
[credentials.sandbox]
broker = "{broker}"
issuer = "{issuer}"
url    = "{url}"
{more}
"""


class Sandbox:
    """The company's sandbox, as its upstream knows it: a real issuer, on another port."""

    def __init__(self, issuer):
        self.issuer = issuer

    def good_for(self, credential, resource):
        return self.issuer.good_for(credential, resource) is not None

    def revoked(self, credential):
        return self.issuer.revoked(credential)


def test_in_development_the_server_says_where_to_sign_in_and_then_lends_it(tmp_path):
    issuer = SimulatedIssuer({"https://nothing.acme.example": ()})
    register(issuer)
    issuer.device.offered = True
    upstream = SimulatedUpstream("sandbox", Sandbox(issuer))
    issuer.offer(upstream.url, ("refunds:create",), lifetime=900)
    root = tmp_path / "orders"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".venv", ".launchworthy", "__pycache__"))
    for path, text in (
        ("src/orders/tools.py", TOOL),
        ("manifests/tools.toml", MANIFEST),
        (
            "config/development.toml",
            SETTINGS.format(
                broker="developer", issuer=issuer.issuer, url=upstream.url, more=f'client = "{CLIENT}"'
            ),
        ),
    ):
        with (root / path).open("a") as file:
            file.write(text)
    (tmp_path / "world").mkdir()
    tested = TestedProject.read(root)
    with (
        issuer,
        upstream,
        tested.world(tmp_path / "world", sandboxes=True) as world,
        world.server("orders", PYTHONPATH=str(root / "src")) as process,
    ):
        server = Borrowing(world, process)
        with pytest.raises(ToolError, match="`sandbox` cannot be used now"):
            server.call("try_sandbox")
        assert "has not signed in yet" in server.records()[-1]["detail"]
        code = re.search(rf"open\n  {issuer.issuer}/device\n  and type  (\d{{8}})\n", process.stderr)
        issuer.device.approve(code[1])

        def through():
            try:
                return server.call("try_sandbox") == "200"
            except ToolError:
                return False

        wait_until(through, what="the sandbox's token")
        issued = next(one for one in server.records() if one["is"] == "credential.issued")
        assert (issued["broker"], issued["scopes"]) == ("developer", ["refunds:create"])
        [request] = list(upstream)
        assert request.credential not in server.written
        assert not request.credential_revoked  # it is the developer's own
        assert PERSON not in server.written


@pytest.mark.parametrize(
    ("production", "lends"),
    [
        ('broker = "token-exchange"\nissuer = "https://login.acme.example"', "token-exchange"),
        (
            'broker = "openbao"\naddress = "https://bao.acme.example"\nrole = "x"\npath = "a/creds/b"',
            "openbao",
        ),
        (None, "token-exchange"),
    ],
)
def test_where_nobody_is_there_to_sign_in_the_sandbox_is_simulated_too(tmp_path, production, lends):
    root = tmp_path / "orders"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".venv", ".launchworthy", "__pycache__"))
    manifest = MANIFEST.replace('scopes = ["refunds:create"], ', "") if lends == "openbao" else MANIFEST
    url = "https://sandbox.acme.example"
    sandbox = SETTINGS.format(
        broker="developer", issuer="https://login.acme.example", url=url, more='client = "x"'
    )
    other = "" if production is None else f'\n[credentials.sandbox]\n{production}\nurl = "{url}"\n'
    for path, text in (
        ("src/orders/tools.py", TOOL),
        ("manifests/tools.toml", manifest),
        ("config/development.toml", sandbox),
        ("config/production.toml", other),
    ):
        with (root / path).open("a") as file:
            file.write(text)
    (tmp_path / "world").mkdir()
    with (
        TestedProject.read(root).world(tmp_path / "world") as world,
        world.server("orders", PYTHONPATH=str(root / "src")) as process,
    ):
        server = Borrowing(world, process)
        assert server.call("try_sandbox") == "200"
        assert {one["broker"] for one in server.records()} == {lends}
