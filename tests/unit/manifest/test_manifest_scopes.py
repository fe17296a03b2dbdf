"""Scopes: all of a target's are needed, and some stand for others."""

from launchworthy.manifest import implied_scopes, load_manifests, missing_scopes
from launchworthy.manifest.scopes import find_cycle


def test_every_scope_of_a_target_is_needed(project):
    project.edit('scopes    = ["orders:write"]', 'scopes = ["orders:write", "orders:pay", "orders:read"]')
    target = load_manifests(project.files).tools()[1]
    assert missing_scopes(target, frozenset({"orders:pay"})) == ("orders:write", "orders:read")
    assert missing_scopes(target, frozenset({"orders:pay", "orders:write", "orders:read", "more"})) == ()


def test_a_scope_is_compared_whole(project):
    target = load_manifests(project.files).tools()[1]
    assert missing_scopes(target, frozenset({"orders:writer", "orders", "ORDERS:WRITE"})) == ("orders:write",)


def test_a_scope_implies_others_through_others():
    implies = {"all": ("write",), "write": ("read",), "other": ("thing",)}
    assert implied_scopes({"all"}, implies) == {"all", "write", "read"}
    assert implied_scopes({"read"}, implies) == {"read"}
    assert implied_scopes((), implies) == frozenset()


def test_implied_scopes_end_where_they_go_in_circles():
    assert implied_scopes({"a"}, {"a": ("b",), "b": ("a",)}) == {"a", "b"}


def test_a_circle_is_found_with_its_way():
    assert find_cycle({"z": ("a",), "a": ("b",), "b": ("c", "d"), "d": ("a",)}) == ("a", "b", "d", "a")
    assert find_cycle({"a": ("a",)}) == ("a", "a")


def test_two_ways_to_one_scope_are_no_circle():
    assert find_cycle({"a": ("b", "c"), "b": ("d",), "c": ("d",), "e": ("a", "d")}) is None
    assert find_cycle({}) is None
