"""`identity registration` prints what operators paste, from the settings and manifests of a project."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from launchworthy.cli.identity import Form
from launchworthy.cli.main import app
from launchworthy.identity import registration

ORDERS = Path(__file__).resolve().parents[3] / "examples" / "orders"


@pytest.fixture
def root(tmp_path, monkeypatch):
    copy = tmp_path / "orders"
    shutil.copytree(ORDERS, copy, ignore=shutil.ignore_patterns(".venv", ".launchworthy"))
    monkeypatch.chdir(copy)
    return copy


def run(*arguments):
    return CliRunner().invoke(app, ["identity", "registration", *arguments])


def replace(root, before, after):
    file = root / "config" / "production.toml"
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, after))


def test_the_words_of_the_command_are_those_of_the_module():
    assert {each.value for each in Form} == {each.value for each in registration.Form}


@pytest.mark.usefixtures("root")
def test_a_spiffe_server_in_kubernetes_gets_an_entry_in_both_forms_and_its_issuer():
    shown = run()
    assert shown.exit_code == 0
    headings = [line.split(":")[0] for line in shown.output.splitlines() if line.startswith("# ")]
    assert headings == ["# spire-entry", "# cluster-spiffe-id", "# authorization-server"]


@pytest.mark.usefixtures("root")
def test_the_entry_is_one_command_for_a_shell():
    entry = run("--only", "spire-entry").output
    assert entry.startswith("spire-server entry create \\\n")
    assert "-spiffeID spiffe://acme.example/ns/orders/sa/orders" in entry
    assert "-selector k8s:ns:orders -selector k8s:sa:orders" in entry
    assert "<the node's id>" in entry
    assert "federatesWith" not in entry


def test_a_federated_trust_domain_is_asked_for_in_both_forms(root):
    replace(root, 'trust_domains = ["acme.example"]', 'trust_domains = ["acme.example", "partner.example"]')
    assert "-federatesWith spiffe://partner.example" in run("--only", "spire-entry").output
    manifest = run("--only", "cluster-spiffe-id").output
    assert manifest.rstrip().endswith('federatesWith:\n    - "partner.example"')


def test_a_server_outside_of_kubernetes_is_told_by_its_user(root):
    replace(root, "spiffe://acme.example/ns/orders/sa/orders", "spiffe://acme.example/hosts/orders")
    assert "-selector unix:uid:<the uid of the server>" in run("--only", "spire-entry").output
    refused = run("--only", "cluster-spiffe-id")
    assert (refused.exit_code, "no cluster-spiffe-id" in refused.output) == (1, True)


def test_a_server_with_a_token_file_gets_a_volume_that_is_renewed(root):
    replace(root, 'kind          = "spiffe"', 'kind          = "file"')
    replace(root, "unix:///spiffe-workload-api/spire-agent.sock", "/var/run/secrets/orders/token")
    replace(root, "spiffe://acme.example/ns/orders/sa/orders", "system:serviceaccount:orders:orders")
    volume = run("--only", "projected-volume").output
    for line in (
        'serviceAccountName: "orders"',
        "automountServiceAccountToken: false",
        'audience: "https://login.acme.example"',
        'path: "token"',
        'mountPath: "/var/run/secrets/orders"',
    ):
        assert line in volume
    assert run("--only", "spire-entry").exit_code == 1


@pytest.mark.usefixtures("root")
def test_the_authorization_server_gets_every_scope_with_who_needs_it_and_no_secret():
    said = json.loads(run("--only", "authorization-server").output)
    assert said["resource"] == "https://orders.acme.example/mcp"
    assert said["scopes"] == {
        "orders:read": ["find_orders", "order"],
        "orders:refund": ["refund_order"],
        "orders:write": ["place_order"],
    }
    assert said["client"]["token_endpoint_auth_method"] == "spiffe_jwt"
    assert said["client"]["spiffe_id"] == said["client"]["client_id"]
    assert "client_secret" not in said["client"]


def test_settings_that_cannot_be_read_are_undecided(root):
    replace(root, 'kind          = "spiffe"', 'kind          = "magic"')
    assert run().exit_code == 2
