"""The SDK's own clients get from a bare 401 to a call, and from a 403 to a further one, without help."""

import pytest
from sdk_access import last_attempt
from sdk_client_orders import WAYS, Company, run, watched

METADATA = "/.well-known/oauth-protected-resource"


@pytest.mark.parametrize("way", WAYS)
def test_a_client_finds_its_way_in_and_steps_up(place: Company, mode: str, way: str) -> None:
    auth, subject, client_id = WAYS[way]
    place.world.executions.taken()

    async def scenario():
        async with watched(place, auth(place), mode) as (client, seen):
            found = await client.call_tool("find_orders", {"customer": "c-17"})
            first = len(seen)
            placed = await client.call_tool("place_order", {"customer": "c-17", "item": "teapot"})
            again = len(seen)
            await client.call_tool("place_order", {"customer": "c-17", "item": "teapot"})
        assert not found.is_error
        assert not placed.is_error
        return seen[:first], seen[first:again], seen[again:]

    way_in, step_up, settled = run(scenario)
    assert (way_in[0].short, settled[0].short) == ("POST /mcp 401", "POST /mcp 200")
    assert way_in[0].challenge.startswith('Bearer scope="orders:read", resource_metadata=')
    assert "error=" not in way_in[0].challenge
    tokens = [one for one in (*way_in, *step_up) if one.path == "/token"]
    assert [one.granted for one in tokens] == ["orders:read", "orders:read orders:write"]
    assert {one.form["resource"] for one in tokens} == {place.world.url}
    assert [one.status for one in way_in[1:]].count(401) == 0
    asked = [one.path for one in way_in if one.path.startswith(METADATA)]
    assert asked == (
        [] if way == "identity_assertion" else [f"{METADATA}/mcp"]
    )  # that one is told its issuer
    assert step_up[0].short == "POST /mcp 403"
    assert 'error="insufficient_scope", scope="orders:write"' in step_up[0].challenge
    assert step_up[-1].short == "POST /mcp 200"
    assert len(settled) == 1
    assert place.world.executions.taken() == 3
    assert _called_last(place, subject, client_id)


def _called_last(place: Company, subject: str, client_id: str | None) -> bool:
    """Whether the audit says who that was."""
    attempt = last_attempt(place.world)
    named = attempt["client"] if client_id is not None else None
    return (attempt["subject"], named) == (subject, client_id)


def test_a_client_that_registers_does_so_once(place: Company, mode: str) -> None:
    before = place.issuer.counts["register"]

    async def scenario():
        async with watched(place, WAYS["dynamic_registration"][0](place), mode) as (client, _):
            await client.call_tool("find_orders", {"customer": "c-17"})
            await client.call_tool("place_order", {"customer": "c-17", "item": "teapot"})

    run(scenario)
    assert place.issuer.counts["register"] == before + 1


def test_a_client_that_publishes_itself_registers_never(place: Company, mode: str) -> None:
    before = place.issuer.counts["register"]

    async def scenario():
        async with watched(place, WAYS["metadata_document"][0](place), mode) as (client, _):
            await client.call_tool("find_orders", {"customer": "c-17"})

    run(scenario)
    assert place.issuer.counts["register"] == before


def test_where_no_document_can_be_read_the_same_client_registers(place: Company, monkeypatch) -> None:
    """As at the provider of `launchworthy dev`, which has no network to read them from."""
    monkeypatch.setattr(place.issuer.clients, "_fetch", None)
    before = place.issuer.counts["register"]

    async def scenario():
        async with watched(place, WAYS["metadata_document"][0](place), "2026-07-28") as (client, _):
            await client.call_tool("find_orders", {"customer": "c-17"})

    run(scenario)
    assert place.issuer.counts["register"] == before + 1
    assert last_attempt(place.world)["client"].startswith("registered-")
