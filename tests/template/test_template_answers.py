"""A bad answer is refused with a sentence that helps, and leaves nothing behind."""

import keyword
import sys
from pathlib import Path

import pytest
import yaml
from rendering import ORDERS, ROOT, copy_template, files_of, render_into

BAD = {
    "name": {
        "at most 40": [
            "Orders",
            "1orders",
            "order_desk",
            "-orders",
            "orders-",
            "a--b",
            "",
            "o" * 41,
            "orders\n",
            "ordérs",
        ],
        "something longer": ["json", "launchworthy", "class", "test", "tests"],
    },
    "owner": {
        "people move on": [
            "acme/orders",
            "@jane",
            "@acme/",
            "@acme/or ders",
            "@Acme/orders",
            "@a/b/c",
            "@acme/orders\n",
            "",
        ],
    },
    "resource": {
        "exactly this URL": [
            "http://orders.acme.example/mcp",
            "https://orders.acme.example",
            "https://orders.acme.example/mcp/",
            "https://orders.acme.example/mcp?tenant=1",
            "https://orders.acme.example/mcp#a",
            "https://Orders.acme.example/mcp",
            "https://orders.acme.example:443/mcp",
            "https://user@orders.acme.example/mcp",
            "https://localhost/mcp",
            "https://127.0.0.1/mcp",
            "https://orders.acme.example/../mcp",
            "https://orders.acme.example//mcp",
            "https://orders.acme.example/mcp\n",
            'https://orders.acme.example/"/mcp',
            "",
        ],
    },
    "issuer": {
        "an issuer is": [
            "http://login.acme.example",
            "https://login.acme.example?x=1",
            "https://login.acme.example#a",
            "https://LOGIN.acme.example",
            "login.acme.example",
            "https://login",
            "https://login.acme.example\n",
            "",
        ],
    },
    "identity": {"": ["static", "password", ""]},
    "deployment": {"": ["nomad", ""]},
}
GOOD = {
    "name": ["o", "order-desk", "orders2", "o" * 40],
    "owner": ["@acme/orders", "@acme-corp/orders_team", "@acme/orders.invalid"],
    "resource": [
        "https://orders.acme.example/mcp",
        "https://acme.example:8443/mcp",
        "https://acme.example/tools/orders/mcp",
        "https://orders.invalid/mcp",
    ],
    "issuer": [
        "https://login.acme.example",
        "https://login.acme.example/",
        "https://login.acme.example:8443/realms/Acme_1",
    ],
    "identity": ["spiffe", "file"],
    "deployment": ["kubernetes", "none"],
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template in a plain folder: the same answers, rendered in a fraction of the time."""
    return copy_template(tmp_path_factory.mktemp("template") / "folder")


@pytest.mark.parametrize(
    ("question", "says", "answer"),
    [
        (question, says, answer)
        for question, sentences in BAD.items()
        for says, answers in sentences.items()
        for answer in answers
    ],
)
def test_a_bad_answer_is_refused_and_nothing_is_left(
    question: str, says: str, answer: str, tmp_path: Path, plain: Path
) -> None:
    with pytest.raises(ValueError, match=f"(?s){question}.*{says}"):
        render_into(plain, tmp_path / "project", ORDERS | {question: answer})
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    ("question", "answer"), [(question, answer) for question, answers in GOOD.items() for answer in answers]
)
def test_a_good_answer_is_taken_as_it_stands(question: str, answer: str, tmp_path: Path, plain: Path) -> None:
    project = render_into(plain, tmp_path / "project", ORDERS | {question: answer})
    assert yaml.safe_load((project / ".copier-answers.yml").read_text())[question] == answer


def test_the_questions_are_six_and_each_can_be_left_for_later() -> None:
    config = yaml.safe_load((ROOT / "copier.yml").read_text())
    asked = {
        name: question
        for name, question in config.items()
        if name[0] != "_" and question.get("when") is not False
    }
    assert list(asked) == ["name", "owner", "resource", "issuer", "identity", "deployment"]
    assert all({"help", "default"} <= question.keys() for question in asked.values())
    for name in ("owner", "resource", "issuer"):
        assert ".invalid" in asked[name]["default"]


def test_every_module_and_word_of_python_is_a_reserved_name() -> None:
    reserved = set(yaml.safe_load((ROOT / "copier.yml").read_text())["reserved"]["default"].split())
    words = sys.stdlib_module_names | set(keyword.kwlist) | set(keyword.softkwlist)
    assert {word.replace("_", "-") for word in words if word[0].isalpha() and word.islower()} <= reserved
    assert "orders" not in reserved


def test_a_hyphen_in_the_name_is_an_underscore_in_the_package(tmp_path: Path, plain: Path) -> None:
    project = render_into(plain, tmp_path / "project", ORDERS | {"name": "order-desk"})
    assert "src/order_desk/server.py" in files_of(project)
    assert b"from order_desk.server import server" in (project / "src/order_desk/__main__.py").read_bytes()
