"""Clients find the metadata where RFC 9728 says, with every byte of the resource as it was configured."""

import pytest

from launchworthy.tokens import metadata_paths, metadata_url, protected_resource_metadata

PLACE = "/.well-known/oauth-protected-resource"


@pytest.mark.parametrize(
    ("resource", "url", "path"),
    [
        ("https://h.example/mcp", f"https://h.example{PLACE}/mcp", f"{PLACE}/mcp"),
        ("https://h.example/mcp/", f"https://h.example{PLACE}/mcp/", f"{PLACE}/mcp/"),
        ("https://h.example", f"https://h.example{PLACE}", PLACE),
        ("https://h.example/", f"https://h.example{PLACE}", PLACE),
        ("https://h.example/a/b", f"https://h.example{PLACE}/a/b", f"{PLACE}/a/b"),
        ("https://h.example:8443/MCP", f"https://h.example:8443{PLACE}/MCP", f"{PLACE}/MCP"),
        ("https://h.example/a?t=1", f"https://h.example{PLACE}/a?t=1", f"{PLACE}/a"),
        ("https://h.example?t=/1", f"https://h.example{PLACE}?t=/1", PLACE),
        ("https://h.example/?t=1", f"https://h.example{PLACE}?t=1", PLACE),
        ("http://127.0.0.1:8080/mcp", f"http://127.0.0.1:8080{PLACE}/mcp", f"{PLACE}/mcp"),
    ],
)
def test_the_well_known_part_stands_between_host_and_path(resource: str, url: str, path: str) -> None:
    assert metadata_url(resource) == url
    assert metadata_paths(resource) == (path, PLACE)


@pytest.mark.parametrize(
    "resource", ["", "orders", "/mcp", "https://", "https:///mcp", "ftp://h/x", "https://h/#a"]
)
def test_what_is_no_absolute_url_is_refused(resource: str) -> None:
    with pytest.raises(ValueError, match="absolute URL"):
        metadata_url(resource)
    with pytest.raises(ValueError, match="absolute URL"):
        protected_resource_metadata(resource, ["https://i.example"], ["a"], "orders")


def test_the_document_repeats_the_resource_byte_for_byte() -> None:
    resource, issuer = "https://h.example/mcp", "https://login.acme.example"
    assert protected_resource_metadata(resource, [issuer], ["orders:read"], "Orders") == {
        "resource": resource,
        "authorization_servers": [issuer],
        "scopes_supported": ["orders:read"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Orders",
    }


@pytest.mark.parametrize(("issuers", "scopes"), [([], ["a"]), (["https://i.example"], [])])
def test_a_document_without_issuers_or_scopes_is_refused(issuers: list[str], scopes: list[str]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        protected_resource_metadata("https://h.example/mcp", issuers, scopes, "Orders")
