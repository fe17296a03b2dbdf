"""Is a stranger's server read right, run never, and drafted so that nobody can forget to think?"""

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from launchworthy.cli.main import app
from launchworthy.manifest import Effect, TargetKind, load_manifests, placeholders
from launchworthy.migration.draft import draft
from launchworthy.migration.foreign import ForeignTarget, foreign_targets, read_sources
from launchworthy.migration.habits import habits

EXAMPLE = Path(__file__).parents[3] / "examples" / "orders"
KEY = "AKIA" + "Z7QK4M2XW5N3RT6B"
SERVER = f'''
import os
import requests
from fastmcp import FastMCP, Context
from mcp.types import ToolAnnotations

raise SystemExit("this must never run")

mcp = FastMCP("shop", auth=object())
API_KEY = "{KEY}"
TOKEN = os.environ["SHOP_TOKEN"]


@mcp.tool
def find_orders(customer: str, limit: int = 10) -> list[str]:
    """Orders of a customer."""


@mcp.tool(name="refund", annotations=ToolAnnotations(destructiveHint=True))
async def give_back(order_id: int, ctx: Context) -> dict:
    await requests.post("https://shop.example", headers={{"Authorization": TOKEN}})


@mcp.tool(annotations={{"readOnlyHint": True}})
def stock(item) -> int:
    """How many there are."""


@mcp.resource("shop://order/{{order_id}}")
def order(order_id: int) -> str:
    """An order."""


@mcp.prompt()
def greet(name: str) -> str:
    """A greeting."""


def place_order(item: str, quantity: int) -> int:
    """Order something."""


mcp.add_tool(place_order)


@other.decorator
def nothing_of_ours(x): ...


if __name__ == "__main__":
    mcp.run(transport="stdio")
'''


@pytest.fixture
def server(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    (folder / ".venv/lib").mkdir(parents=True)
    (folder / "server.py").write_text(SERVER)
    (folder / ".venv/lib/x.py").write_text("@mcp.tool\ndef not_ours(): ...\n")
    return folder


def read(server: Path) -> dict[str, ForeignTarget]:
    return {target.function: target for target in foreign_targets(read_sources(server))}


def adopt(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["adopt", *(str(each) for each in arguments)])


def test_every_way_to_offer_something_is_seen(server: Path) -> None:
    targets = read(server)
    assert {(target.kind, target.name) for target in targets.values()} == {
        (TargetKind.TOOL, "find_orders"),
        (TargetKind.TOOL, "refund"),
        (TargetKind.TOOL, "stock"),
        (TargetKind.TOOL, "place_order"),
        (TargetKind.RESOURCE, "order"),
        (TargetKind.PROMPT, "greet"),
    }
    assert targets["order"].uri == "shop://order/{order_id}"
    assert targets["give_back"].context == "ctx"
    assert [each.name for each in targets["give_back"].arguments] == ["order_id"]
    assert [each.required for each in targets["find_orders"].arguments] == [True, False]


@pytest.mark.parametrize(
    "annotation",
    ["Context", "fastmcp.Context", "Context[Session, None]", "fastmcp.Context | None", "Context | None"],
)
def test_a_context_is_known_however_its_type_is_written(tmp_path: Path, annotation: str) -> None:
    (tmp_path / "server.py").write_text(f"@mcp.tool\ndef stock(item: str, ctx: {annotation}): ...\n")
    target = read(tmp_path)["stock"]
    assert target.context == "ctx"
    assert [each.name for each in target.arguments] == ["item"]


def test_what_is_only_called_like_a_context_is_an_argument(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text("@mcp.tool\ndef stock(about: ContextOfOrder, ctx: str): ...\n")
    assert [each.name for each in read(tmp_path)["stock"].arguments] == ["about", "ctx"]


@pytest.mark.parametrize(
    ("function", "guess"),
    [
        ("find_orders", Effect.READ),
        ("give_back", Effect.DESTRUCTIVE),
        ("stock", Effect.READ),
        ("place_order", Effect.WRITE),
    ],
)
def test_an_effect_is_guessed_from_hints_and_names_and_never_too_harmless(
    server: Path, function: str, guess: Effect
) -> None:
    assert read(server)[function].guess is guess


def test_what_is_drafted_is_a_manifest_that_promotion_refuses(server: Path) -> None:
    text = draft(tuple(read(server).values()), declared=frozenset())
    server_toml = (EXAMPLE / "manifests/server.toml").read_text()
    files = {
        "manifests/server.toml": server_toml.replace("orders:read", "find-orders.invalid").encode(),
        "manifests/tools.toml": text.encode(),
    }
    manifests = load_manifests(files)
    assert {name for _, name in manifests.targets} == set(read(server))
    left = [field for field, _, _ in placeholders(manifests)]
    for kind, name in manifests.targets:
        assert any(field.startswith(f"{kind}s.{name}.scopes") for field in left), name
    assert "tools.give_back.approval_reason" in left


def test_what_is_declared_already_is_not_drafted_again(server: Path) -> None:
    targets = tuple(read(server).values())
    assert draft(targets, declared={(each.kind, each.function) for each in targets}) == ""


@pytest.mark.parametrize(
    "what",
    [
        "reads the environment",
        "calls others with `requests`",
        "signs a request itself",
        "brings its own token verifier",
        "serves over stdio",
        "takes `item` without a type",
        "returns `dict`",
        "has no docstring",
        "takes the SDK's context as `ctx`",
    ],
)
def test_each_habit_is_told_with_its_place_and_what_to_do_instead(server: Path, what: str) -> None:
    sources = read_sources(server)
    found = [each for each in habits(sources, foreign_targets(sources)) if each.what == what]
    assert found
    for each in found:
        assert each.where.startswith("server.py:")
        assert each.instead


def test_a_server_without_habits_has_none(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(
        '@mcp.tool()\ndef count_orders(customer: str) -> int:\n    """How many."""\n    return 1\n'
    )
    sources = read_sources(tmp_path)
    assert habits(sources, foreign_targets(sources)) == ()


def test_the_command_tells_all_and_runs_nothing(server: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(server)
    result = adopt(server)
    assert result.exit_code == 1
    assert "6 targets found" in result.stdout
    assert "holds a secret" in result.stdout
    assert "[tools.give_back]" in result.stdout
    assert "callers know it as `refund` today" in result.stdout
    assert KEY not in result.output
    told = json.loads(adopt(server, "--format", "json").stdout)
    assert len(told["targets"]) == 6
    assert KEY not in json.dumps(told)


def test_it_appends_to_the_manifest_of_the_project_where_it_is_asked_to(
    server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "orders"
    (project / "src/orders").mkdir(parents=True)
    (project / "src/orders/__main__.py").write_text("")
    (project / "manifests").mkdir()
    for name in ("server.toml", "tools.toml"):
        (project / "manifests" / name).write_bytes((EXAMPLE / "manifests" / name).read_bytes())
    monkeypatch.chdir(project)
    before = (project / "manifests/tools.toml").read_text()
    assert adopt(server).exit_code == 1
    assert (project / "manifests/tools.toml").read_text() == before
    assert adopt(server, "--write").exit_code == 1
    after = (project / "manifests/tools.toml").read_text()
    assert after.startswith(before.rstrip("\n"))
    declared = tomllib.loads(after)["tools"]
    assert declared["find_orders"]["scopes"] == ["orders:read"], "it was declared before, and stays as it was"
    assert declared["stock"]["scopes"] == ["stock.invalid"]
    again = adopt(server, "--write")
    assert again.exit_code == 1, "its habits stay"
    assert "declares all of them already" in again.stdout
    assert (project / "manifests/tools.toml").read_text() == after, "and nothing is appended twice"


@pytest.mark.parametrize(
    ("content", "reason", "code"),
    [
        ("x = 1\n", "nothing-to-adopt", 2),
        ("def broken(:\n", "nothing-to-adopt", 2),
        ("@mcp.tool\ndef f(): ...\n" + "(" * 5000, "nothing-to-adopt", 2),
        ("\x00", "nothing-to-adopt", 2),
    ],
    ids=["no tools", "no Python", "nested", "a zero byte"],
)
def test_what_cannot_be_adopted_is_undecided(tmp_path: Path, content: str, reason: str, code: int) -> None:
    (tmp_path / "server.py").write_text(content)
    result = adopt(tmp_path)
    assert (result.exit_code, reason in result.stderr) == (code, True)


def test_a_file_that_is_no_python_is_told_beside_what_is(server: Path) -> None:
    (server / "broken.py").write_text("def broken(:\n")
    result = adopt(server)
    assert result.exit_code == 1
    assert "unreadable-source" in result.stderr


def test_a_place_that_is_not_there_is_undecided(tmp_path: Path) -> None:
    assert adopt(tmp_path / "nowhere").exit_code == 2


def test_a_name_that_is_written_to_look_like_a_table_makes_none(tmp_path: Path) -> None:
    file = tmp_path / "server.py"
    file.write_text("@mcp.tool(name=\"a\\n[tools.pay]\\neffect = 'read'\\x1b[2J\")\ndef go() -> int: ...\n")
    drafted = draft(foreign_targets(read_sources(file)), declared=frozenset())
    assert set(tomllib.loads(drafted)["tools"]) == {"go"}
    assert "\x1b" not in drafted


def test_a_file_that_is_named_to_look_like_a_table_makes_none(tmp_path: Path) -> None:
    (tmp_path / "a\n[tools.pay]\n.py").write_text("@mcp.tool\ndef go() -> int: ...\n")
    drafted = draft(foreign_targets(read_sources(tmp_path)), declared=frozenset())
    assert set(tomllib.loads(drafted)["tools"]) == {"go"}


@pytest.mark.parametrize("depth", [100, 500, 900])
def test_a_type_that_is_nested_deeper_than_anybody_reads_ends_nothing(tmp_path: Path, depth: int) -> None:
    file = tmp_path / "server.py"
    deep = "+".join(["1"] * depth)
    file.write_text(f"@mcp.tool\ndef go(x: {deep}) -> {deep}: ...\n")
    sources = read_sources(file)
    [target] = foreign_targets(sources)
    assert (target.name, sources.unreadable) == ("go", ())
    assert habits(sources, (target,))


def test_a_name_of_thousands_of_parts_ends_nothing(server: Path) -> None:
    file = server / "deep.py" if server.is_dir() else server
    file.write_text("import os\n@mcp.tool\ndef go(): ...\nos.getenv('x')\nx = a" + ".b" * 2500 + "()\n")
    sources = read_sources(file)
    assert sources.unreadable == ()
    told = habits(sources, foreign_targets(sources))
    assert any("reads the environment" in each.what for each in told)


def test_a_file_that_is_named_to_move_the_cursor_moves_nothing(server: Path) -> None:
    (server / "a\nb\x1b[2J.py").write_text(f'KEY = "{KEY}"\n')
    told = CliRunner().invoke(app, ["adopt", str(server)])
    assert "\n a\\u{a}b\\u{1b}[2J.py\n" in told.stdout
    assert "\x1b" not in told.stdout


@pytest.mark.parametrize(
    ("annotation", "is_one"),
    [
        ("Context", True), ("fastmcp.Context", True), ("Context[ServerSession, None]", True),
        ("mcp.server.Context[ServerSession, None] | None", True), ("ContextVar", False), ("str", False),
    ],
)  # fmt: skip
def test_the_context_is_no_argument_however_it_is_written(
    tmp_path: Path, annotation: str, *, is_one: bool
) -> None:
    (tmp_path / "s.py").write_text(f"@mcp.tool\ndef go(ctx: {annotation}) -> int: ...\n")
    [target] = foreign_targets(read_sources(tmp_path))
    assert (target.context, len(target.arguments)) == (("ctx", 0) if is_one else (None, 1))
