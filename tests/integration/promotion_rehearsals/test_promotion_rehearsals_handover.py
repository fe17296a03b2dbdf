"""Somebody who was never here takes the project over: empty caches, the lock, and what is rehearsed."""

import json

import pytest
from promoted_orders import PromotedOrders

pytestmark = pytest.mark.slow
OUTPUT = "dist/handover.json"


def test_a_stranger_can_install_check_and_rehearse_it(orders: PromotedOrders) -> None:
    done = orders.launchworthy("handover", "--operator", "sam@acme.example", "--output", OUTPUT)
    said = json.loads((orders.root / OUTPUT).read_text())
    assert done.returncode == 0, done.stdout
    assert [step["name"] for step in said["steps"]] == ["clone", "install", "check", "rehearse"]
    assert all(step["holds"] for step in said["steps"])
    assert said["commit"] == orders.run("git", "rev-parse", "HEAD").stdout.strip()
    assert len(said["lent"]) == 1
    assert "sha256:" in said["lent"][0]


def test_its_author_cannot(orders: PromotedOrders) -> None:
    done = orders.launchworthy("handover", "--operator", "x@x.invalid", "--output", "dist/own.json")
    assert (done.returncode, "handover-of-own-work" in done.stderr) == (2, True)
    assert not (orders.root / "dist" / "own.json").exists()
