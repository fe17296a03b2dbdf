"""What the code says is asked of the code, and whatever it does instead of an answer is no pass."""

import json

import pytest

TOOL = '''

@tool
def wipe_orders(call: Call[OrderStore], older_than: Quantity) -> list[Order]:
    """Remove old orders."""
    return []
'''


def test_a_tool_that_no_manifest_declares_is_held_with_the_table_to_paste(shop):
    code = (shop.root / "src/orders/tools.py").read_text()
    shop.edit(("src/orders/tools.py", "", code + TOOL))
    finding = shop.report("AZ-01")["AZ-01"]
    assert finding["status"] == "fail"
    broken = [each for each in finding["assertions"] if not each["holds"]]
    assert any("`wipe_orders`" in each["what"] for each in broken)
    assert any("[tools.wipe_orders]" in line for each in broken for line in each["fix"])
    line = (code + TOOL).partition("@tool\ndef wipe_orders")[0].count("\n") + 1
    assert {each["where"] for each in broken} == {f"src/orders/tools.py:{line}"}


def test_as_many_tools_with_another_name_are_held(shop):
    code = (shop.root / "src/orders/tools.py").read_text()
    shop.edit(("src/orders/tools.py", "", code.replace("def find_orders", "def search_orders")))
    broken = [each["what"] for each in shop.report("AZ-01")["AZ-01"]["assertions"] if not each["holds"]]
    assert any("`search_orders`" in what for what in broken)
    assert any("`find_orders`" in what for what in broken)


def test_an_argument_without_bounds_is_held(shop):
    shop.edit(("src/orders/tools.py", 'Item = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$", ',
               "Item = Annotated[str, Field("))  # fmt: skip
    finding = shop.report("TL-01")["TL-01"]
    assert (finding["status"], "item has no longest text" in json.dumps(finding)) == ("fail", True)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("print('hello')", "prints something when it is imported"),
        ("server = None", "has no `server`"),
    ],
)
def test_code_that_does_something_else_than_answer_is_no_pass(shop, line, says):
    code = (shop.root / "src/orders/server.py").read_text()
    shop.edit(("src/orders/server.py", "", f"{code}\n{line}\n"))
    done = shop.run("check", "AZ-01", "--format", "json")
    assert done.exit_code == (1 if "server" in line else 2)
    assert says in done.output


def test_an_environment_without_the_project_is_undecided(shop):
    package = shop.root / "src/orders"
    package.rename(package.with_name("shop"))
    done = shop.run("check")
    assert done.exit_code == 2
    assert json.loads(done.stderr)["reason"] == "code-not-described"
