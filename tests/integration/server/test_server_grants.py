"""Break-glass from the command line to the body: asked for, approved by two, in force, used, over."""

import json
from pathlib import Path
from typing import Any

import pytest
from server_orders import REHEARSAL, Orders, records
from test_server_control import changes, refusal
from typer.testing import CliRunner

from launchworthy.approval.proved.grant import grant_matter
from launchworthy.cli.main import app
from launchworthy.state.control.writing import read_entries
from launchworthy.testing.break_glass import PEOPLE
from launchworthy.testing.client import Client
from launchworthy.testing.world import World, wait_until
from launchworthy.vocabulary import Secret

pytestmark = pytest.mark.servers
RULE = "team:no-bulk-orders"


def run(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    assert done.exit_code == code, done.output
    return done.output


def request(world: World, file: Path, until: str) -> tuple[object, ...]:
    return (
        "control", "request", file, "--server", world.url, "--issuer", world.issuer.issuer,
        "--subject", "ada", "--client", world.issuer.client.client_id, "--target", "place_order",
        "--lift", RULE, "--incident", "INC-77", "--why", "a warehouse burns", "--who", "@acme/on-call",
        "--until", until,
    )  # fmt: skip


def asked_for(world: World, file: Path, *, until: str = "1h") -> None:
    run(*request(world, file, until))


def approved(world: World, file: Path, person: str) -> None:
    """A person signs in: the company's command prints the ID token that they got."""
    glass = world.break_glass
    assert glass is not None
    [entry] = read_entries(file)
    token = file.with_suffix(f".{person}")
    token.write_text(glass.id_token(grant_matter(entry).nonce, person))
    run(
        "approve", file, "--trust", glass.trust, "--environment", "rehearsal", "--yes",
        "--id-token-command", f"cat {token}",
    )  # fmt: skip


def grant(world: World, file: Path, *, code: int = 0) -> str:
    assert world.break_glass is not None
    return run(
        "control", "grant", file, "--trust", world.break_glass.trust, "--environment", "rehearsal",
        "--file", world.control_file, code=code,
    )  # fmt: skip


def caller(world: World, subject: str = "ada") -> Client:
    token = world.issuer.mint(world.issuer.grant(scopes=("orders:write", "orders:read"), subject=subject))
    return Client(world.url, Secret(token))


def bulk(who: Client) -> tuple[int, str] | None:
    return refusal(lambda: who.call("place_order", customer="c-17", item="teapot", quantity=21))


def granted(world: World, file: Path, *, until: str) -> str:
    asked_for(world, file, until=until)
    for person in PEOPLE:
        approved(world, file, person)
    return grant(world, file)


def told(world: World) -> list[dict[str, Any]]:
    return [each["data"] for each in records(world) if each["type"] == "launchworthy.control.changed.v1"]


def test_a_grant_from_the_first_request_to_its_end(orders: Orders, tmp_path: Path) -> None:
    file = tmp_path / "INC-77.toml"
    with (
        orders.running(**REHEARSAL, break_glass=True) as (world, server),
        caller(world) as ada,
        caller(world, "bob") as bob,
    ):
        assert bulk(ada) == (403, "denied")
        asked_for(world, file)
        world.control_file.write_text(file.read_text())  # a hurried colleague mounts the request itself
        wait_until(lambda: bool(changes(world)), timeout=5, what="the record of it")
        assert bulk(ada) == (403, "denied")
        assert refusal(lambda: ada.call("find_orders", customer="c-17")) is None

        approved(world, file, PEOPLE[0])
        assert "approved by 1 of the 2 people" in grant(world, file, code=2)
        world.control_file.write_text("")
        shown = granted(world, file, until="1h")
        assert "place_order for ada" in shown
        assert f"approved by {', '.join(PEOPLE)}" in shown
        wait_until(lambda: bulk(ada) is None, timeout=5, what="the grant")
        assert bulk(bob) == (403, "denied")
        status = Path(world.directory / "data/status.json")
        wait_until(lambda: "a warehouse burns" in status.read_text(), timeout=5, what="the status")
        [entry] = json.loads(status.read_text())["control"]["entries"]
        assert (entry["action"], entry["approvers"]) == ("grant", [*PEOPLE])
        run("control", "revoke", entry["id"], "--file", world.control_file)
        wait_until(lambda: bulk(ada) == (403, "denied"), timeout=5, what="the end of it")

        granted(world, file, until="10s")
        wait_until(lambda: bulk(ada) is None, timeout=9, what="the second grant")
        wait_until(lambda: bulk(ada) == (403, "denied"), timeout=15, what="the end of the second")
        assert world.control_file.read_text().count("[[grant]]") == 1
        wait_until(lambda: len(changes(world)) == 5, timeout=5, what="the record of its end")
        assert server.running
    first, *_ = told(world)
    assert (first["lifts"], first["detail"]) == ([RULE], "is approved by 0 of the 2 people that it takes")
    assert [kind for kind, _ in changes(world)] == ["refused", "added", "removed", "added", "expired"]
    used = [each["data"] for each in records(world) if each["type"] == "launchworthy.breakglass.used.v1"]
    assert {each["subject"] for each in used} == {"ada"}
    assert {each["grant"] for each in used} == {name for kind, name in changes(world) if kind == "added"}
    assert all(each["approvers"] == [*PEOPLE] for each in used)


@pytest.mark.slow
def test_where_nobody_may_approve_no_grant_lifts_anything(orders: Orders, tmp_path: Path) -> None:
    file = tmp_path / "INC-77.toml"
    with orders.running(**REHEARSAL) as (world, _), caller(world) as ada:
        asked_for(world, file)
        file.rename(world.control_file)
        wait_until(lambda: bool(changes(world)), timeout=5, what="the record of it")
        assert bulk(ada) == (403, "denied")
    [change] = told(world)
    assert change["detail"] == "no trust policy of this server says who may approve it"


def test_what_is_no_request_is_not_granted(orders: Orders, tmp_path: Path) -> None:
    file = tmp_path / "INC-77.toml"
    with orders.world(**REHEARSAL, break_glass=True) as world:
        file.write_text("")
        assert "no-grant-request" in grant(world, file, code=2)
        asked_for(world, file)
        file.write_text(file.read_text().replace(RULE, "manifest:place_order"))
        assert "bad-value" in grant(world, file, code=2)


def test_a_request_that_was_changed_has_no_approval(orders: Orders, tmp_path: Path) -> None:
    file = tmp_path / "INC-77.toml"
    with orders.world(**REHEARSAL, break_glass=True) as world:
        asked_for(world, file)
        for person in PEOPLE:
            approved(world, file, person)
        file.write_text(file.read_text().replace('subject = "ada"', 'subject = "mallory"'))
        assert "approval-not-genuine" in grant(world, file, code=2)
        assert read_entries(world.control_file) == ()


def test_more_than_eight_hours_are_asked_for_by_nobody(orders: Orders, tmp_path: Path) -> None:
    with orders.world(**REHEARSAL, break_glass=True) as world:
        assert "eight hours" in run(*request(world, tmp_path / "x.toml", "9h"), code=2)
        assert not (tmp_path / "x.toml").exists()
