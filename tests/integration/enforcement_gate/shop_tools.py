"""What the house of these tests serves: one function for each thing that can go well or wrong."""

import asyncio
import threading
import time
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from launchworthy.credentials import Call
from launchworthy.manifest import completion, prompt, resource, tool
from launchworthy.vocabulary import ToolError

SECRET = "hunter2-5f2b"


@dataclass(frozen=True, kw_only=True)
class Order:
    order_id: int
    item: str


class Address(BaseModel):
    street: str
    number: int


@dataclass(kw_only=True)
class Shop:
    """What calls share; tests look into it."""

    given: list[tuple[str, object]] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)
    sdk: Any = None
    later: list[asyncio.Task[Any]] = field(default_factory=list)


@tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def find_orders(
    call: Call[Shop], customer: Annotated[str, Field(pattern=r"^c-[0-9]+$")], limit: int = 20
) -> list[Order]:
    """Find a customer's orders."""
    call.app.given.append(("find_orders", (customer, limit)))
    return [Order(order_id=1, item="teapot")]


@tool
async def remember(  # noqa: PLR0917
    call: Call[Shop],
    text: str | None = None,
    paths: str | list[str] = "",
    flag: bool = False,  # noqa: FBT001, FBT002
    number: float = 0.5,
    day: date | None = None,
    kind: Literal["a", "b"] = "a",
    address: Address | None = None,
    tags: frozenset[int] = frozenset(),
) -> str:
    """Keep what was given."""
    call.app.given.append(
        ("remember", {"text": text, "paths": paths, "flag": flag, "number": number, "day": day, "kind": kind,
                      "address": address, "tags": tags})
    )  # fmt: skip
    return "kept"


@tool
async def wipe(call: Call[Shop], order_id: int) -> str:
    """Wipe an order."""
    call.app.given.append(("wipe", order_id))
    return "wiped"


@tool
async def say_no(order_id: int) -> str:
    """Fail in words."""
    raise ToolError(f"order {order_id} is not yours")


@tool
async def leak() -> str:
    """Crash with a secret in the text."""
    raise RuntimeError(f"password={SECRET}")


@tool
def leak_in_thread() -> str:
    """Crash in a thread, with a secret in the text and in its cause."""
    try:
        int(SECRET)
    except ValueError as error:
        raise RuntimeError(f"password={SECRET}") from error


@tool
async def lie() -> Order:
    """Return what was not promised."""
    return {"password": SECRET}  # type: ignore[return-value]


@tool
async def leave() -> str:
    """Try to end the process."""
    raise SystemExit(SECRET)


@tool
async def count(call: Call[Shop], steps: int) -> int:
    """Report progress."""
    for step in range(steps):
        await call.progress(step + 1, steps)
    return steps


@tool
async def pulse(call: Call[Shop]) -> str:
    """Say something, and take a while."""
    await call.progress(1)
    await asyncio.sleep(0.15)
    return "done"


@tool
async def wait(call: Call[Shop]) -> str:
    """Wait until cancelled, or let go."""
    call.app.entered.set()
    try:
        while not call.app.gate.is_set():  # noqa: ASYNC110 - the test is in another thread
            await asyncio.sleep(0.005)
    except asyncio.CancelledError:
        call.app.cancelled.set()
        raise
    return "let go"


@tool
async def limited(call: Call[Shop]) -> str:
    """Answer, as long as it may."""
    call.app.given.append(("limited", None))
    return "here"


@tool
async def crowded(call: Call[Shop], stay: int = 0) -> str:
    """Answer at once, or stay until let go."""
    while stay and not call.app.gate.is_set():
        call.app.entered.set()
        await asyncio.sleep(0.005)
    return "here"


@tool
async def note_down(call: Call[Shop]) -> str:
    """Write something."""
    call.app.given.append(("note_down", None))
    return "noted"


@tool
async def note_again(call: Call[Shop]) -> str:
    """Write something else."""
    call.app.given.append(("note_again", None))
    return "noted"


@tool
def wait_in_thread(call: Call[Shop]) -> str:
    """Wait in a thread, which nothing can cancel."""
    call.app.entered.set()
    call.app.gate.wait(5)
    return "let go"


@tool
async def too_long() -> str:
    """Take longer than the manifest allows."""
    await asyncio.sleep(30)
    return "never"


@tool
async def gives_up(call: Call[Shop]) -> str:
    """Run into a time-out of its own."""
    call.app.given.append(("gives_up", None))
    raise TimeoutError(SECRET)


@tool
def too_long_in_thread(call: Call[Shop]) -> str:
    """Take longer than the manifest allows, in a thread."""
    call.app.gate.wait(5)
    return "too late"


@tool
async def nest(call: Call[Shop], target: str) -> str:
    """Call another tool through the SDK, as code of the process could."""
    from mcp_types import CallToolRequestParams

    handler = call.app.sdk.get_request_handler("tools/call").handler
    context = type("Context", (), {"protocol_version": "2026-07-28"})()
    try:
        await handler(context, CallToolRequestParams(name=target, arguments={"order_id": 1}))
    except Exception as error:  # noqa: BLE001 - the test reads it
        return type(error).__name__
    return "ran"


@tool
async def leave_a_task(call: Call[Shop]) -> str:
    """Leave a task behind that calls a tool later."""
    from mcp_types import CallToolRequestParams

    handler = call.app.sdk.get_request_handler("tools/call").handler
    context = type("Context", (), {"protocol_version": "2026-07-28"})()

    async def later() -> str:
        await asyncio.sleep(0.05)
        await handler(context, CallToolRequestParams(name="leave_a_task", arguments={}))
        return "ran"

    call.app.later.append(asyncio.create_task(later()))
    return "left"


@tool
async def hidden() -> str:
    """Known to nobody but those who may."""
    return "found"


@tool
async def elsewhere() -> str:
    """Served in production only."""
    return "here"


@tool
async def mirrored(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
    """Repeat an argument in a header."""
    return region


@tool
async def read_token() -> str:
    """What the SDK would say that the access token is."""
    from mcp.server.auth.middleware.auth_context import auth_context_var, get_access_token

    token, user = get_access_token(), auth_context_var.get()
    left = len(user._request.head.authorization)  # what a curious tool would try
    return "none" if token is None else f"{token.token} {token.client_id} {token.resource} {left}"


@tool
def spin(milliseconds: int) -> str:
    """Take a little while, in a thread."""
    time.sleep(milliseconds / 1000)
    return "done"


@tool
async def touch(call: Call[Shop], uri: str) -> bool:
    """Say that a resource has changed."""
    call.changed(uri)
    return True


@tool
def touch_in_thread(call: Call[Shop], uri: str) -> bool:
    """Say it in a thread."""
    call.changed(uri)
    return True


@resource
def hidden_note() -> str:
    """Nobody knows."""
    return "hidden"


@resource
def order(call: Call[Shop], order_id: int) -> Order:
    """One order."""
    call.app.given.append(("order", order_id))
    return Order(order_id=order_id, item="teapot")


@resource
def note(name: str) -> str:
    """A note by its name."""
    return f"note {name}"


@resource
def label(text: str) -> str:
    """A label."""
    return f"label {text}"


@resource
async def logo() -> bytes:
    """The logo."""
    return b"\x89PNG"


@resource
async def broken() -> str:
    """Crash."""
    raise RuntimeError(f"password={SECRET}")


@prompt
def greet(name: str, times: int = 1) -> str:
    """Greet somebody."""
    return f"hello {name}" * times


@completion(order, "order_id")
def order_numbers(call: Call[Shop], typed: Annotated[str, Field(max_length=8)]) -> list[str]:
    """Many of them."""
    call.app.given.append(("order_numbers", typed))
    return [f"{typed}{number}" for number in range(250)]


@completion(greet, "name")
async def names(typed: str, given: dict[str, str]) -> list[str]:
    """Names that begin so, as often as they are to be greeted."""
    return [name for name in ("ada", "alan", "grace") if name.startswith(typed)] * int(given.get("times", 1))


@prompt
def whisper(word: str) -> str:
    """Nobody knows."""
    return word


@completion(whisper, "word")
def words(typed: str) -> list[str]:
    """Nobody knows."""
    return [typed]


@prompt
async def talk() -> list[Any]:
    """Two messages."""
    return ["hello", {"role": "assistant", "content": "hi"}]


@prompt
async def refuse_to_talk(topic: str = "") -> str:
    """Fail in words."""
    raise ToolError(f"not today{topic}")


@completion(refuse_to_talk, "topic")
def topics(typed: str) -> Any:
    """Fail in each of its ways."""
    if typed == "say":
        raise ToolError("no topic today")
    if typed == "crash":
        raise RuntimeError(f"password={SECRET}")
    return {"not": "a list"}
