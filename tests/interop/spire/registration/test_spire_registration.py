"""Does a real SPIRE take what `identity registration` prints? The line of the example, pasted."""

import json
import shutil
from pathlib import Path

import pytest
from spire import Spire
from typer.testing import CliRunner

from launchworthy.cli.main import app

EXAMPLE = Path(__file__).parents[4] / "examples" / "orders"
PARTNER = "partner.example"


@pytest.fixture
def printed(tmp_path, monkeypatch):
    """What the command prints for the example, which trusts a partner here."""
    root = tmp_path / "orders"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".venv", ".launchworthy"))
    file = root / "config" / "production.toml"
    before, after = '["acme.example"]', f'["acme.example", "{PARTNER}"]'
    assert file.read_text().count(f"trust_domains = {before}") == 1
    file.write_text(file.read_text().replace(f"trust_domains = {before}", f"trust_domains = {after}"))
    monkeypatch.chdir(root)
    shown = CliRunner().invoke(app, ["identity", "registration", "--only", "spire-entry"])
    assert shown.exit_code == 0
    return shown.output


def test_the_line_makes_the_entry_of_the_example(printed):
    with Spire("acme.example") as spire, Spire(PARTNER) as partner:
        spire.trust(partner)
        words = printed.replace("\\\n", " ").replace("<the node's id>", spire.id("node")).split()
        assert words[:3] == ["spire-server", "entry", "create"]
        spire.run(*words[1:])
        [entry] = json.loads(spire.run("entry", "show", "-output", "json", "-parentID", spire.id("node")))[
            "entries"
        ]
        assert entry["spiffe_id"] == {"trust_domain": "acme.example", "path": "/ns/orders/sa/orders"}
        assert {f"{each['type']}:{each['value']}" for each in entry["selectors"]} == {
            "k8s:ns:orders",
            "k8s:sa:orders",
        }
        assert entry["federates_with"] == [PARTNER]
