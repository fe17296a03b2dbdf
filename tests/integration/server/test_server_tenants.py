"""A tenant's target, asked for by a caller of another one: as the promotion rehearses it."""

from types import SimpleNamespace
from typing import Any

import pytest

from launchworthy.manifest import load_manifests
from launchworthy.probe.running import Prober
from launchworthy.promotion.rehearsals.approval_page import address
from launchworthy.promotion.rehearsals.policy import _tenants_are_kept_apart
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.promotion.rehearsals.targets import targets_of, usual_target
from launchworthy.settings import IssuerSettings
from launchworthy.testing.client import Client
from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.testing.visitor import APPROVER, Visitor
from launchworthy.testing.world import CALLERS
from launchworthy.vocabulary import Environment, ToolError


def test_the_rehearsal_sees_tenants_kept_apart(orders: Any) -> None:
    orders.edit("manifests/server.toml", 'tenancy         = "single"', 'tenancy         = "multi"')
    tools = (orders.root / "manifests" / "tools.toml").read_text()
    head = "[tools.find_orders]\n"
    named = f'{head}policy_inputs = ["customer"]\ntenant_argument = "customer"\n'
    assert tools.count(head) == 1
    (orders.root / "manifests" / "tools.toml").write_text(tools.replace(head, named))
    files = {
        f"manifests/{path.name}": path.read_bytes() for path in (orders.root / "manifests").glob("*.toml")
    }
    manifests = load_manifests(files)
    with orders.running() as (world, server):
        server.wait_ready()
        project = SimpleNamespace(
            manifests=manifests,
            rehearsed=Environment.DEVELOPMENT,
            settings=SimpleNamespace(
                server=SimpleNamespace(revisions=("2026-07-28",), max_body=1024 * 1024),
                issuers={CALLERS: IssuerSettings(issuer="https://issuer.invalid", algorithms=("ES256",))},
            ),
        )
        stage: Any = SimpleNamespace(
            project=project,
            target=usual_target(project),  # type: ignore[arg-type]  # what it looks at is there
            scopes=world.scopes,
        )
        assert targets_of(project)  # type: ignore[arg-type]
        probed = Stage._probed(stage, world, SimulatedIssuer({world.url: world.scopes}), CALLERS)
        prober = Prober(probed, world.executions.taken, tls=world.tls)
        try:
            scene = Scene(world=world, process=server, probed=probed, prober=prober)
            seen = [assertion for _, assertion in _tenants_are_kept_apart(stage, scene)]
        finally:
            prober.close()
    assert [(each.holds, each.twin) for each in seen] == [(True, True), (True, False)], seen


BY_APPROVERS = 'approval  = { mode = "url", by = "approvers", claim = "groups:leads" }  # [approval]'


def test_an_approver_of_another_tenant_neither_sees_nor_answers(orders: Any) -> None:
    orders.edit("manifests/server.toml", 'tenancy         = "single"', 'tenancy         = "multi"')
    tools = orders.root / "manifests" / "tools.toml"
    [asking] = [line for line in tools.read_text().splitlines() if line.startswith('approval  = "url"')]
    orders.edit("manifests/tools.toml", asking, BY_APPROVERS)
    with orders.running() as (world, server):
        server.wait_ready()
        leads = {"groups": ["leads"]}
        world.issuer.say_of("of-another", leads | {"tenant": "another"})
        world.issuer.say_of("of-none", leads | {"tenant": None})
        token, _ = world.persons_token("orders:refund")
        arguments = {"order_id": 1, "reason": "arrived in pieces"}
        with Client(world.url, token, tls=world.tls, approve=True) as agent:
            question = agent.request("tools/call", {"name": "refund_order", "arguments": arguments})
            url = address(question)
            for person in ("of-another", "of-none"):
                with Visitor(tls=world.tls) as visitor:
                    seen = visitor.sign_in(url, person)
                    assert (seen.status_code, "arrived in pieces" in seen.text) == (403, False), person
                    assert visitor.decide(url, yes=True).status_code == 403
            with Visitor(tls=world.tls) as visitor:
                assert "arrived in pieces" in visitor.sign_in(url, APPROVER).text
            with pytest.raises(ToolError, match="no order 1"):  # said by the body
                agent.call("refund_order", **arguments)
