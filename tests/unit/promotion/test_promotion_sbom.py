"""What is in the environment of a wheel: everything that production installs, and nothing that tests need."""

import json

import pytest

from launchworthy.promotion.sbom import component_count, render_sbom, unhashed
from launchworthy.vocabulary import ProblemError

HASH = "sha256:" + "0f" * 32
LOCK = f"""
version = 1
[[package]]
name = "orders"
version = "0.3.1"
source = {{ editable = "." }}
dependencies = [{{ name = "launchworthy", extra = ["otel"] }}, {{ name = "numbers", version = "2.0" }}]
[package.dev-dependencies]
dev = [{{ name = "pytest" }}]
[[package]]
name = "launchworthy"
version = "0.1.0"
source = {{ registry = "https://index.acme.example/simple" }}
dependencies = [{{ name = "anyio" }}]
sdist = {{ url = "https://index.acme.example/l.tar.gz", hash = "{HASH}" }}
[package.optional-dependencies]
otel = [{{ name = "telemetry" }}]
valkey = [{{ name = "redis" }}]
""" + "".join(
    f"""
[[package]]
name = "{name}"
version = "{version}"
source = {{ registry = "https://index.acme.example/simple" }}
wheels = [{{ url = "https://index.acme.example/{name}.whl", hash = "{HASH}" }}]
dependencies = [{{ name = "anyio" }}]
"""
    for name, version in (
        ("anyio", "4.16"), ("telemetry", "1.4"), ("redis", "7"), ("pytest", "9"), ("numbers", "1.0"),
        ("numbers", "2.0"),
    )
)  # fmt: skip


def bill(lock: str = LOCK, digest: str = "ab" * 32) -> dict[str, object]:
    document: dict[str, object] = json.loads(render_sbom(lock.encode(), wheel_digest=digest))
    return document


def test_it_lists_what_production_installs_and_nothing_else() -> None:
    said = bill()
    listed = [(each["name"], each["version"]) for each in said["components"]]  # type: ignore[attr-defined]
    assert listed == [("anyio", "4.16"), ("launchworthy", "0.1.0"), ("numbers", "2.0"), ("telemetry", "1.4")]
    assert component_count(LOCK.encode()) == 4
    component = said["metadata"]["component"]  # type: ignore[index]
    assert (component["name"], component["version"]) == ("orders", "0.3.1")
    assert component["properties"] == [{"name": "launchworthy:wheel-content-sha256", "value": "ab" * 32}]
    assert {(each["alg"], each["content"]) for one in said["components"] for each in one["hashes"]} == {  # type: ignore[attr-defined]
        ("SHA-256", "0f" * 32)
    }


def test_the_same_lock_and_wheel_give_the_same_bytes() -> None:
    one = render_sbom(LOCK.encode(), wheel_digest="ab" * 32)
    assert one == render_sbom(LOCK.encode(), wheel_digest="ab" * 32)
    assert bill()["serialNumber"] != bill(digest="cd" * 32)["serialNumber"]
    assert bill()["serialNumber"] != bill(LOCK + "\n")["serialNumber"]


def test_what_has_no_hash_is_named() -> None:
    assert unhashed(LOCK.encode()) == ()
    without = LOCK.replace(f', hash = "{HASH}" }}]\ndependencies', " }]\ndependencies", 1)
    assert unhashed(without.encode()) == ("anyio",)


@pytest.mark.parametrize(
    "lock", ["", "package = 1", LOCK.replace('editable = "."', 'registry = "x"'), "\x00"]
)
def test_a_lock_of_no_project_lists_nothing(lock: str) -> None:
    with pytest.raises(ProblemError) as caught:
        render_sbom(lock.encode(), wheel_digest="ab" * 32)
    assert caught.value.problems[0].reason == "lock-without-project"
