"""The approval page in a real browser: by keyboard alone, without scripts, in light and dark, on a phone.

Run by `nox -s interop-chromium`, with Debian's Chromium. With INTEROP_PICTURES it writes the pictures of the
guide there.
"""

import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from launchworthy.testing.client import Client
from launchworthy.testing.project import TestedProject
from launchworthy.testing.running import RunningServer
from launchworthy.testing.world import wait_until

pytestmark = pytest.mark.foreign
ORDERS = Path(__file__).parents[3] / "examples" / "orders"
CHROMIUM = shutil.which("chromium")
PICTURES = os.environ.get("INTEROP_PICTURES")
DESK, HAND = {"width": 1100, "height": 860}, {"width": 390, "height": 844}
REASON = "arrived in pieces, \u202egnihtyna esrever\u202c and\u00a0more: <b>bold</b> & “quoted”"
"""It would turn the order of other characters, and hide what it is."""
TWO_LINES = 45
"""Pixels: the name of an argument stands on one."""
CONTRAST = 4.5
"""WCAG 2.2, 1.4.3."""

CONTRASTS = """
() => {
  const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const parse = (text) => text.match(/[0-9.]+/g).map(Number);
  const ground = (e) => { while (e) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c.slice(0, 3); e = e.parentElement; } return [255, 255, 255]; };
  return [...document.querySelectorAll("p, h1, h2, dt, dd, th, td, code, button, a, span")].map((e) => {
    const one = light(parse(getComputedStyle(e).color).slice(0, 3)), two = light(ground(e));
    return [e.tagName, (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05)]; });
}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    project = TestedProject.read(ORDERS)
    source = str(ORDERS / "src")
    folder = tmp_path_factory.mktemp("chromium")
    with project.world(folder) as world, world.server(project.package, PYTHONPATH=source) as process:
        yield RunningServer(world, process)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("chromium is not here: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Asked:
    """A refund that waits for its caller."""

    def __init__(self, server: RunningServer, workers: ThreadPoolExecutor) -> None:
        token, person = server.world.persons_token("orders:write", "orders:refund")
        self._shown = threading.Event()
        self.url = ""
        self.client = Client(server.url, token, approve=self._show, person=person)
        order = self.client.call("place_order", customer="c-17", item="teapot", quantity=2)
        arguments = {"order_id": order["order_id"], "reason": REASON}
        self.answer: Future[Any] = workers.submit(self.client.call, "refund_order", **arguments)
        assert self._shown.wait(20)

    def _show(self, question: str) -> bool:
        self.url = question.rpartition("\n")[2]
        self._shown.set()
        return True


@pytest.fixture
def asked(server: RunningServer) -> Iterator[Asked]:
    with ThreadPoolExecutor(1) as workers:
        asked = Asked(server, workers)
        yield asked
        asked.client.close()


def tab_to(page: Any, name: str) -> None:
    """Press Tab until something of this name has the focus, and see that it shows."""
    for _ in range(12):
        page.keyboard.press("Tab")
        focused = page.evaluate("() => document.activeElement.innerText || ''")
        if name in focused:
            outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert outline not in ("none", "")
            return
    raise AssertionError(f"Tab never came to {name!r}")


def test_a_call_is_approved_by_keyboard_alone_and_without_scripts(chromium: Any, asked: Asked) -> None:
    context = chromium.new_context(viewport=DESK, java_script_enabled=False)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(asked.url)
    tab_to(page, "Sign in at")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/authorize"))
    tab_to(page, "simulated-person")
    page.keyboard.press("Enter")
    page.wait_for_url(asked.url)
    seen = page.inner_text("main")
    assert r"\u202e" in seen
    assert r"\u00a0" in seen
    assert "<b>bold</b> & " in seen
    tab_to(page, "Approve this call")
    assert not asked.answer.done()
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Approved')")
    assert asked.answer.result(30)["status"] == "refunded"
    assert complaints == []
    assert [each["name"] for each in context.cookies() if "approval-visit" in each["name"]] == []
    context.close()


def test_a_screen_reader_is_told_what_it_is(chromium: Any, asked: Asked) -> None:
    context = chromium.new_context(viewport=DESK)
    page = context.new_page()
    page.goto(asked.url)
    sign_in(page)
    told = page.locator("body").aria_snapshot()
    for part in (
        'heading "May this call be made?" [level=1]',
        'heading "Arguments" [level=2]',
        'table "Arguments"',
        'rowheader "reason"',
        'button "Approve this call"',
        'button "Decline"',
    ):
        assert part in told
    assert page.evaluate("() => document.documentElement.lang") == "en"
    assert page.title().startswith("May this call be made?")
    page.get_by_role("button", name="Decline").click()
    page.wait_for_selector("h1:has-text('Declined')")
    assert asked.answer.exception(30) is not None
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("place", "size"), [("desk", DESK), ("hand", HAND)])
def test_it_can_be_read_everywhere(chromium: Any, asked: Asked, scheme: str, place: str, size: Any) -> None:
    context = chromium.new_context(viewport=size, color_scheme=scheme, device_scale_factor=1)
    page = context.new_page()
    page.goto(asked.url)
    shot(page, f"approval-sign-in-{place}-{scheme}")
    legible(page)
    sign_in(page)
    shot(page, f"approval-{place}-{scheme}")
    legible(page)
    page.get_by_role("button", name="Decline").click()
    page.wait_for_selector("h1:has-text('Declined')")
    legible(page)
    context.close()


def test_a_page_of_another_site_can_neither_frame_it_nor_post_to_it(chromium: Any, asked: Asked) -> None:
    context = chromium.new_context(viewport=DESK)
    page = context.new_page()
    page.goto(asked.url)
    sign_in(page)
    form = f'<form method="post" action="{asked.url}"><button name="answer" value="approve">x</button></form>'
    with elsewhere(f'<iframe src="{asked.url}"></iframe>{form}') as there:
        evil = context.new_page()
        evil.goto(there)
        evil.wait_for_load_state("networkidle")
        assert all("May this call" not in frame.content() for frame in evil.frames[1:])
        evil.get_by_role("button", name="x").click()
        evil.wait_for_load_state()
        assert "May this call" not in evil.content()
        assert "Approved" not in evil.content()
    assert not asked.answer.done()
    page.reload()
    page.get_by_role("button", name="Decline").click()
    wait_until(asked.answer.done, timeout=30)
    context.close()


def sign_in(page: Any) -> None:
    page.get_by_role("link", name="Sign in at").click()
    page.get_by_role("button", name="simulated-person").click()
    page.wait_for_selector("h1:has-text('May this call be made?')")


def legible(page: Any) -> None:
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    names = page.evaluate("() => [...document.querySelectorAll('th code')].map((e) => e.offsetHeight)")
    assert all(height < TWO_LINES for height in names)
    poor = [(tag, round(ratio, 2)) for tag, ratio in page.evaluate(CONTRASTS) if ratio < CONTRAST]
    assert poor == []


def shot(page: Any, name: str) -> None:
    if PICTURES is not None:
        page.locator("main").screenshot(path=str(Path(PICTURES) / f"{name}.png"))


class elsewhere:  # noqa: N801 - a context manager
    """A page of another site."""

    def __init__(self, body: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.end_headers()
                self.wfile.write(f"<!doctype html><body>{body}".encode())

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://localhost:{self._server.server_port}/{json.dumps('x')}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
