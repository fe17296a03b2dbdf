"""A mark leaves a function as it was, and a server finds what is marked."""

import functools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from launchworthy.manifest import Server, TargetKind, mark_of, prompt, resource, tool
from launchworthy.vocabulary import ProblemError

FRAMEWORK = Path(__file__).resolve().parents[3] / "framework"


class Call:
    """As the credentials package offers it."""

    def __class_getitem__(cls, item):
        return cls


Call.__module__ = "launchworthy.credentials.call"


class Telephone:
    class Call:
        """A team's own, of the same name."""


def module(**members):
    made = ModuleType("orders.tools")
    vars(made).update(members)
    return made


def find_orders(call: Call, customer: str, limit: int = 20) -> list[str]:  # noqa: ARG001
    """Find a customer's orders, newest first."""
    return [customer] * limit


def test_a_marked_function_is_the_function():
    before = (find_orders.__code__, find_orders.__doc__, find_orders.__annotations__)
    marked = tool(find_orders)
    assert marked is find_orders
    assert (marked.__code__, marked.__doc__, marked.__annotations__) == before
    assert marked(None, "c-17", 2) == ["c-17", "c-17"]
    del find_orders.__launchworthy_mark__


def test_a_mark_says_what_where_and_with_which_arguments():
    @resource
    async def order(call: Call, order_id: int, *, full: bool = False):
        """One order."""

    mark = mark_of(order)
    assert (mark.kind, mark.name, mark.function) == (TargetKind.RESOURCE, "order", order)
    path, line = mark.where.rsplit(":", 1)
    assert path.endswith("test_manifest_marks.py")
    assert Path(__file__).read_text().splitlines()[int(line)].strip().startswith("async def order(")
    assert [given.name for given in mark.parameters] == ["order_id", "full"]


def test_the_place_is_below_the_project():
    code = compile("@tool\ndef f(): ...\n", "/home/someone/orders/src/orders/tools.py", "exec")
    namespace = {"tool": tool, "__name__": "orders.tools"}
    exec(code, namespace)  # noqa: S102 - a module whose file is elsewhere
    assert mark_of(namespace["f"]).where == "src/orders/tools.py:1"
    code = compile("@tool\ndef f(): ...\n", "/venv/lib/site-packages/orders/tools/__init__.py", "exec")
    exec(code, namespace)  # noqa: S102
    assert mark_of(namespace["f"]).where == "orders/tools/__init__.py:1"


@pytest.mark.parametrize("annotation", ["Call", "Call[OrderStore]", "credentials.Call[int]", " Call [x]"])
def test_a_call_is_known_by_its_text_too(annotation):
    credentials = ModuleType("credentials")
    credentials.Call = Call
    namespace = {"Call": Call, "credentials": credentials, "tool": tool, "__name__": "orders.tools"}
    exec(f"@tool\ndef f(call: '{annotation}', x: 'int', y): ...", namespace)  # noqa: S102
    assert [given.name for given in mark_of(namespace["f"]).parameters] == ["x", "y"]


def test_a_teams_own_call_is_an_argument():
    @prompt
    def dial(call: Telephone.Call, other: "Telephone.Call", unknown: "Nowhere.Call[int]", caller: Call): ...  # noqa: F821

    assert [given.name for given in mark_of(dial).parameters] == ["call", "other", "unknown"]


@pytest.mark.parametrize("value", [lambda: None, len, Call, functools.partial(find_orders), "find_orders"])
def test_only_plain_functions_are_marked(value):
    with pytest.raises(TypeError, match="plain function"):
        tool(value)


def test_a_function_is_one_thing():
    @tool
    def once(): ...

    with pytest.raises(TypeError, match="marked twice"):
        resource(once)


def test_a_server_finds_what_its_modules_hold_in_their_order():
    @tool
    def one(): ...

    @prompt
    def two(): ...

    server = Server([module(two=two, helper=len, one=one), module(two=two, number=1)])
    assert [mark.name for mark in server.marks()] == ["two", "one"]
    assert Server(module(one=one)).marks()[0].function is one


def test_two_functions_of_one_name_are_refused():
    def made(kind):
        def same(): ...

        return kind(same)

    assert len(Server(module(a=made(tool), b=made(prompt))).marks()) == 2
    with pytest.raises(ProblemError) as refused:
        Server([module(a=made(tool)), module(a=made(tool))]).marks()
    assert [problem.reason for problem in refused.value.problems] == ["duplicate-name"]


def test_a_decorator_above_the_mark_would_be_lost_and_is_refused():
    def careful(function):
        @functools.wraps(function)
        def wrapper(*given):
            return function(*given)

        return wrapper

    def pay(amount: int): ...

    inside = tool(careful(pay))
    [mark] = Server(module(pay=inside)).marks()
    assert mark.function is inside
    assert [given.name for given in mark.parameters] == ["amount"]
    del inside.__launchworthy_mark__
    with pytest.raises(ProblemError) as refused:
        Server(module(pay=careful(tool(pay)))).marks()
    assert [problem.reason for problem in refused.value.problems] == ["mark-not-on-top"]


def test_a_server_keeps_its_parts_and_opens_nothing():
    class Settings: ...

    @contextmanager
    def app(settings: Settings) -> Iterator[str]:  # noqa: ARG001
        raise AssertionError("opened")
        yield "never"

    server = Server(module(), settings=Settings, app=app)
    assert (server.settings, server.app) == (Settings, app)
    assert Server(module()).settings is None
    assert server.marks() == ()


@pytest.mark.parametrize(
    ("name", "package", "expression"),
    [
        ("orders.server", "orders", "Server(tools)"),
        ("orders.inner.server", "orders.inner", "Server[object, object](tools)"),
        ("__main__", "orders", "Server(tools)"),
        ("__main__", None, "Server(tools)"),
    ],
)
def test_a_server_knows_the_package_it_was_made_in(name, package, expression):
    namespace = {"Server": Server, "tools": module(), "__name__": name, "__package__": package}
    exec(f"server = {expression}", namespace)  # noqa: S102
    assert namespace["server"].package == "orders"


def test_marking_loads_no_sdk():
    heavy = ("mcp", "starlette", "cedarpy")
    script = f"import sys, launchworthy.manifest; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(FRAMEWORK)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
