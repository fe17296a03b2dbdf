"""What documents tell people to run exists, and where they send people is something."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path
from typing import get_args, get_origin

import pytest
from documents import ROOT, SOURCE, TEMPLATE, anchors, commands, documents, fences, links, sessions
from pydantic import BaseModel
from typer.main import get_command

from launchworthy.cli.main import app
from launchworthy.cli.pages import find_page
from launchworthy.manifest.tool import TargetsFile
from launchworthy.settings.tables import FileTables
from launchworthy.state.control.entries import ControlFile
from launchworthy.vocabulary import ProblemError

DOCUMENTS = dict(documents())
MARKDOWN = [path for path in DOCUMENTS if path.endswith(".md")]
PROGRAM = get_command(app)


def wrong_with(words: tuple[str, ...]) -> str | None:
    """What `launchworthy` would not understand of these words; placeholders are values like others."""
    command, rest = PROGRAM, list(words)
    while rest and (inner := getattr(command, "commands", {})) and not rest[0].startswith("-"):
        if rest[0] == "…":
            return None
        if rest[0] not in inner:
            return f"no command `{rest[0]}`"
        command = inner[rest.pop(0)]
    options = {name: each for each in command.params for name in (*each.opts, *each.secondary_opts)}
    while rest:
        word, _, value = rest.pop(0).partition("=")
        if not word.startswith("-") or word == "-":
            continue
        if word in ("-h", "--help"):
            continue
        if word not in options or options[word].param_type_name != "option":
            return f"no option `{word}`"
        if not options[word].is_flag and (value := value or (rest.pop(0) if rest else "")):
            choices = _choices(options[word].type_descriptor.annotation)
            if choices and value not in choices and value.islower():
                return f"`{word}` is one of {choices}"
    return None


def _choices(annotation: object) -> list[str]:
    members = getattr(annotation, "__members__", {}).values()
    return [each.value for each in members] + [one for part in get_args(annotation) for one in _choices(part)]


def sessions_of(noxfile: Path) -> set[str]:
    """The names of its sessions."""
    named = set()
    for function in ast.parse(noxfile.read_text(encoding="utf-8")).body:
        for mark in getattr(function, "decorator_list", ()):
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "nox.session":
                given = {each.arg: ast.literal_eval(each.value) for each in mark.keywords}
                named.add(given.get("name", function.name))
            elif ast.unparse(mark) == "nox.session":
                named.add(function.name)
    return named


OURS, THEIRS = sessions_of(ROOT / "noxfile.py"), sessions_of(TEMPLATE / "noxfile.py")


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_command_in_a_document_exists_with_its_options(path):
    wrong = {" ".join(words): said for words in commands(DOCUMENTS[path]) if (said := wrong_with(words))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("promote --environment production", None),
        ("promot", "no command `promot`"),
        ("control halt TOOL", "no command `halt`"),
        ("promote --later URL", "no option `--later`"),
        ("audit show --call 4T7K-9QX2-M0DV --denied=1 --nobody", "no option `--nobody`"),
        ("audit ship DIRECTORY --to kafka", "`--to` is one of ['otlp', 'syslog']"),
        ("audit ship DIRECTORY --to RECEIVER", None),
    ],
)
def test_a_command_that_does_not_exist_is_noticed(words, said):
    assert wrong_with(tuple(words.split())) == said


def test_commands_are_found_wherever_documents_write_them():
    text = (
        "Run `launchworthy lock` or `audit show -`.\n\n```\n$ launchworthy attest R \\\n  --trust T # why\n"
    )
    text += "kubectl logs P | launchworthy audit verify --key K D   what it does\n```\n"
    text += "```python\nlaunchworthy nothing\n```\n"
    found = {" ".join(words) for words in commands(text)}
    assert found == {"lock", "audit show -", "attest R --trust T", "audit verify --key K D"}
    everything = [words for text in DOCUMENTS.values() for words in commands(text)]
    assert len(everything) >= 80


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_name_that_is_to_be_explained_has_a_page(path):
    names = {words[1] for words in commands(DOCUMENTS[path]) if words[:1] == ("explain",) and len(words) > 1}
    missing = []
    for name in sorted(name for name in names if not name.isupper() and "{" not in name):
        try:
            find_page(name)
        except ProblemError:
            missing.append(name)
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_session_in_a_document_exists_where_it_is_run(path):
    ours = set() if path.startswith("template/") else OURS
    theirs = set() if path in ("README.md", "CONTRIBUTING.md") else THEIRS
    assert set(sessions(DOCUMENTS[path])) - ours - theirs == set()


@pytest.mark.parametrize("path", MARKDOWN)
def test_every_relative_link_leads_somewhere(path):
    dead = []
    for link in links(DOCUMENTS[path]):
        name, _, anchor = link.partition("#")
        target = ((ROOT / path).parent / name).resolve() if name else ROOT / path
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            dead.append(link)
    assert dead == []


def test_links_of_generated_projects_lead_somewhere_in_them():
    rendered = ROOT / "examples" / "orders"
    found = [
        rendered / link for path in DOCUMENTS if path.endswith(".jinja") for link in links(DOCUMENTS[path])
    ]
    assert found
    assert [str(path) for path in found if not path.exists()] == []


def test_every_page_is_reached_from_the_readme():
    reached, open_pages = set(), ["README.md"]
    while open_pages:
        path = open_pages.pop()
        if path in reached:
            continue
        reached.add(path)
        for link in links(DOCUMENTS[path]):
            target = ((ROOT / path).parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.is_relative_to(ROOT):
                open_pages.append(str(target.relative_to(ROOT)))
    assert [path for path in MARKDOWN if path.startswith("docs/") and path not in reached] == []


def unknown_fields(content: dict[str, object], form: type[BaseModel], where: str = "") -> list[str]:
    """Fields that the form does not have; tables that are another program's are left out at the top."""
    found = []
    for name, value in content.items():
        if name not in form.model_fields:
            found += [f"{where}{name}"] if where else []
            continue
        parts = _parts(form.model_fields[name].annotation)
        forms = [one for one in parts if isinstance(one, type) and issubclass(one, BaseModel)]
        named = any(get_origin(part) is dict for part in parts) and isinstance(value, dict)
        tables = value if isinstance(value, list) else list(value.values()) if named else [value]
        for each in (one for one in tables if isinstance(one, dict) and forms):
            found += unknown_fields(each, forms[-1], f"{where}{name}.")
    return found


def _parts(annotation: object) -> list[object]:
    return [annotation, *(one for part in get_args(annotation) for one in _parts(part))]


@pytest.mark.parametrize("path", MARKDOWN)
def test_every_toml_in_a_document_is_toml_with_fields_that_exist(path):
    for block in fences(DOCUMENTS[path], {"toml"}):
        content = tomllib.loads(block)
        unknown = [unknown_fields(content, form) for form in (FileTables, TargetsFile, ControlFile)]
        assert sum(unknown, []) == []  # noqa: RUF017 - three lists


def test_a_field_that_does_not_exist_is_noticed():
    content = tomllib.loads(
        "server.lisen = 1\nissuers.a.exceptions.typ.vaule = 1\n[[stop]]\nid = 1\nwho_ = 1"
    )
    assert unknown_fields(content, FileTables) == ["server.lisen", "issuers.exceptions.typ.vaule"]
    assert unknown_fields(content, ControlFile) == ["stop.who_"]
    assert unknown_fields({"tools": {"a": {"scope": [], "scopes": []}}}, TargetsFile) == ["tools.scope"]


def test_the_table_of_packages_has_every_package_and_no_other():
    named = re.findall(r"^\| \d+ \| `(\w+)` \|", DOCUMENTS["docs/architecture.md"], re.MULTILINE)
    assert sorted(named) == sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))


def test_every_file_that_the_architecture_names_is_there():
    table = DOCUMENTS["docs/architecture.md"].partition("## Where do I change")[2]
    named = re.findall(r"`([a-z_]+(?:/[a-z_.]+)+)`", table)
    assert len(named) >= 15
    assert [name for name in named if not (SOURCE / name).exists() and not (ROOT / name).exists()] == []


def test_every_file_that_a_session_uses_is_in_the_repository():
    """A name that git ignores is on the machine of whoever wrote it, and nowhere else."""
    named = set(re.findall(r'"(tests/[\w/.-]+)"', (ROOT / "noxfile.py").read_text(encoding="utf-8")))
    assert len(named) >= 10
    git = ["git", "-C", str(ROOT), "ls-files", "--"]
    missing = [
        path
        for path in sorted(named)
        if not subprocess.run([*git, path], capture_output=True, check=True).stdout
    ]
    assert missing == []
