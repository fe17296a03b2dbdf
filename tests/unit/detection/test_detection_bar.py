"""How much is found, how much is found wrongly, and how fast: the bar of the whole detector."""

import json
import random
import subprocess
import sysconfig
import time
from pathlib import Path

import pytest
from detection_corpus import FORMS, Snippet, corpus
from detection_values import Values, filled

from launchworthy.detection import find_secrets

VECTORS = Path(__file__).parents[2] / "vectors" / "secrets-snippets.json"
"""Backwards, so that whoever scans this repository for secrets finds none."""
LEAST_RECALL = 0.97
MOST_FALSE = 0.02
LEAST_SPEED = 5_000_000


@pytest.fixture(scope="module")
def judged() -> list[tuple[Snippet, bool]]:
    return [
        (snippet, bool(find_secrets(snippet.text, path=snippet.path)))
        for snippet in corpus(seed=20261120, rounds=15)
    ]


def share(judged: list[tuple[Snippet, bool]], *, secret: bool, form: str | None = None) -> float:
    found = [hit for snippet, hit in judged if snippet.secret is secret and form in (None, snippet.form)]
    assert found
    return sum(found) / len(found)


def test_secrets_in_configuration_are_found(judged: list[tuple[Snippet, bool]]) -> None:
    assert share(judged, secret=True) >= LEAST_RECALL


def test_their_benign_twins_are_left_alone(judged: list[tuple[Snippet, bool]]) -> None:
    assert share(judged, secret=False) <= MOST_FALSE


@pytest.mark.parametrize("form", FORMS)
def test_no_kind_of_file_is_a_blind_spot(judged: list[tuple[Snippet, bool]], form: str) -> None:
    assert share(judged, secret=True, form=form) >= 0.85


def _vectors() -> list[dict[str, object]]:
    loaded: list[dict[str, object]] = json.loads(VECTORS.read_text(encoding="utf-8"))
    return loaded


MISSED = pytest.mark.xfail(strict=True, reason="words with hyphens are names of things as often as secrets")
KNOWN_MISSES = {"JWT secret phrase": MISSED}


@pytest.mark.parametrize(
    "vector",
    [pytest.param(vector, marks=KNOWN_MISSES.get(str(vector["why"]), ())) for vector in _vectors()],
    ids=lambda vector: f"{vector['path']}: {vector['why']}",
)
def test_a_snippet_of_real_life_is_judged_right(vector: dict[str, object]) -> None:
    text = filled(str(vector["reversed"])[::-1], Values(7))
    assert bool(find_secrets(text, path=str(vector["path"]))) is vector["secret"]


def _library(*, limit: int) -> list[tuple[str, str]]:
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py"))
    files = [file for file in files if "site-packages" not in file.parts]
    random.Random(1).shuffle(files)  # noqa: S311 - repeatable, not secret
    read: list[tuple[str, str]] = []
    size = 0
    for file in files:
        text = file.read_text(encoding="utf-8", errors="replace")
        read.append((str(file), text))
        size += len(text)
        if size > limit:
            break
    return read


@pytest.mark.speed
def test_source_code_is_quiet_and_read_fast() -> None:
    library = _library(limit=4_000_000)
    size = sum(len(text) for _, text in library)
    started = time.process_time()
    found = [finding for path, text in library for finding in find_secrets(text, path=path)]
    seconds = time.process_time() - started
    assert len(found) <= size / 5_000_000
    assert size / seconds >= LEAST_SPEED / 2, "half the bar: the machine that runs the tests may be shared"


@pytest.mark.parametrize(
    "piece",
    [
        "password=",
        'password="',
        "sk-ant-",
        "eyJabcdefghij.",
        "https://a:b@c ",
        "-----BEGIN PRIVATE KEY-----",
        "curl -u ",
        "${SECRET:-",
        "kind: Secret\ndata:\n  a: b\n",
        "password \n",
        "LS0tLS1CRUdJTi",
        "&sig=",
        "a1B2-us",
        "discord ",
        "name: a value: ",
        'password="\\',
        "auth=(",
        "chpasswd:\n a",
        "user identified by '",
        'password: {"value"',
        "password:\n a: b\n",
        "bindpw a\n",
        "x:y@tcp(",
        'login("a", "b", ',
    ],
)
@pytest.mark.parametrize("path", ["x.env", "x.py"])
def test_a_text_that_is_made_to_be_slow_is_not(piece: str, path: str) -> None:
    def seconds(size: int) -> float:
        text = (piece * (size // len(piece) + 1))[:size]
        started = time.process_time()
        find_secrets(text, path=path)
        return time.process_time() - started

    short, long = (min(seconds(size), seconds(size)) for size in (10_000, 80_000))  # one may be disturbed
    assert long < 40 * max(short, 0.005), "eight times the text must not take sixty-four times as long"


def test_this_repository_is_quiet() -> None:
    root = Path(__file__).parents[3]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True)
    files = [root / name for name in listed.stdout.split("\0") if name]
    found = [
        (finding.path, finding.line, finding.kind)
        for file in files
        if file.is_file()
        for finding in find_secrets(file.read_text(encoding="utf-8", errors="replace"), path=str(file))
    ]
    assert len(files) > 500
    assert found == []
