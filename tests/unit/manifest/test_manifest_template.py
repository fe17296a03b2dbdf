"""Templates: their form, their variables, and whether one URI could mean two of them."""

import pytest

from launchworthy.manifest.template import expand, overlapping, template_mistake, variables


def test_variables_come_in_order():
    assert variables("orders://order/{order_id}/item/{item}") == ("order_id", "item")
    assert variables("orders://all") == ()


def test_values_take_the_place_of_variables():
    assert expand("order/{order_id}", {"order_id": "17"}) == "order/17"


def test_a_value_is_not_expanded_again():
    assert expand("{a}/{b}", {"a": "{b}", "b": "x"}) == "{b}/x"


def test_a_missing_value_stays_visible():
    assert expand("order/{order_id}", {}) == "order/{order_id}"


@pytest.mark.parametrize(
    "uri", ["orders://order/{order_id}", "orders://all", "https://a.example/{x}.json", "a://{x}"]
)
def test_a_plain_uri_is_fine(uri):
    assert template_mistake(uri, is_uri=True) is None


@pytest.mark.parametrize(
    "uri",
    [
        "order/{order_id}",
        "Orders://order",
        "orders:///etc/passwd",
        "orders://order/{+path}",
        "orders://order{?q}",
        "orders://order?x=1",
        "orders://order#x",
        "orders://order/{Order}",
        "orders://{a}{b}",
        "orders://{a}/{a}",
        "orders://{a",
        "orders://a}",
        "orders://a b",
        "orders://%2e%2e",
        "orders://" + "a" * 600,
        "",
    ],
)
def test_any_other_uri_is_refused(uri):
    assert template_mistake(uri, is_uri=True) is not None


def test_what_a_call_acts_on_needs_no_scheme():
    assert template_mistake("customer/{customer}", is_uri=False) is None
    assert template_mistake("customer/{customer", is_uri=False) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a://x/{b}", "a://x/{c}"),
        ("a://x/{b}", "a://x/new"),
        ("a://x/{b}", "A://X/new"),
        ("a://{x}/y", "a://z/{w}"),
        ("a://x/{b}.json", "a://x/{c}"),
        ("a://x/a{b}", "a://x/{c}z"),
        ("a://x/a{b}c{d}e", "a://x/{y}e"),
        ("a://x", "a://x"),
    ],
)
def test_two_templates_that_one_uri_could_mean_overlap(one, other):
    assert len(overlapping([one, "q://unrelated", other])) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a://x/{b}", "a://y/{b}"),
        ("a://x/{b}", "a://x/{b}/c"),
        ("a://x/{b}", "b://x/{b}"),
        ("a://x/a{b}", "a://x/b{c}"),
        ("a://x/{b}.json", "a://x/{b}.xml"),
        ("a://x/y", "a://x/z"),
        ("a://x/a{b}c{d}e", "a://x/{y}f"),
    ],
)
def test_two_templates_that_differ_in_a_literal_part_do_not(one, other):
    assert overlapping([one, other]) == ()
