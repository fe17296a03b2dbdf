"""A project with several tenants goes through the whole gate, which holds it where they could meet."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from promoted_orders import PromotedOrders, environ

from launchworthy.promotion.building import build_and_install

pytestmark = pytest.mark.slow
_BY = 'tenant_argument = "customer"\n'
_TENANTS = {
    "manifests/server.toml": (('tenancy         = "single"', 'tenancy         = "multi"'),),
    "config/staging.toml": (("person_claim =", 'tenant_claim = "tenant"\nperson_claim ='),),
    "config/production.toml": (("person_claim =", 'tenant_claim = "tenant"\nperson_claim ='),),
    "manifests/tools.toml": (
        ("[tools.find_orders]\n", f'[tools.find_orders]\n{_BY}policy_inputs = ["customer"]\n'),
        ('policy_inputs = ["quantity"] ', f'{_BY}policy_inputs = ["customer", "quantity"] '),
    ),
}
_NOT_COMPARED = ("policy/permits.py", " && context.arguments[{name}] == context.tenant", "")
_MUTANTS = {
    "every caller is taken for one of the tenant that its issuer had first": (
        "tokens/claims.py",
        "return _text(expected.tenant_claim, claims.get(expected.tenant_claim))",
        'return _FIRST.setdefault("tenant", _text("", claims.get(expected.tenant_claim)))\n\n\n_FIRST = {}',
    ),
    "what was decided for one tenant is kept for all": (
        "policy/cached.py",
        "key = piece.key(query)",
        "key = tuple(each for each in piece.key(query) if each not in {'c-17', 'not-c-17'})",
    ),
}


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> PromotedOrders:
    """The reference project, whose customers are tenants that must not meet."""
    project = PromotedOrders.make(tmp_path_factory.mktemp("tenants"))
    for path, pairs in _TENANTS.items():
        for before, after in pairs:
            project.edit(path, before, after)
    assert project.launchworthy("lock").returncode == 0
    project.commit()
    return project


def test_it_is_cleared_whole(orders: PromotedOrders) -> None:
    done = orders.launchworthy("promote", "--environment", "rehearsal", "--format", "json")
    assert done.stdout, done.stderr
    said = json.loads(done.stdout)
    held = [
        (each["control"], each["message"])
        for each in said["findings"]
        if each["status"] not in ("pass", "not_applicable")
    ]
    assert (done.returncode, said["verdict"], held) == (0, "cleared", []), done.stderr
    [decided] = [each for each in said["findings"] if each["control"] == "AZ-05"]
    seen = [each["what"] for each in decided["assertions"]]
    for tool in ("find_orders", "place_order"):
        assert f"`{tool}` of one tenant is refused to a caller of another" in seen


@pytest.mark.parametrize(("file", "before", "after"), _MUTANTS.values(), ids=list(_MUTANTS))
def test_a_runtime_that_lets_tenants_meet_is_held_by_the_policys_control(
    orders: PromotedOrders, file: str, before: str, after: str
) -> None:
    build_and_install(orders.root, python=orders.root / ".venv" / "bin" / "python", environ=environ())
    with _broken(orders, file, before, after):
        code, findings = _checked(orders, "AZ-05", "TOK-02")
    said = {control: (each["status"], each["message"]) for control, each in findings.items()}
    assert (code, said["AZ-05"][0], said["TOK-02"][0]) == (1, "fail", "pass"), said
    assert "of one tenant should be refused to a caller of another" in said["AZ-05"][1]


def test_a_runtime_whose_rule_does_not_compare_tenants_does_not_even_start(orders: PromotedOrders) -> None:
    with _broken(orders, *_NOT_COMPARED):
        code, findings = _checked(orders, "AZ-05")
    assert (code, findings["AZ-05"]["status"]) == (2, "error")
    assert "the policy engine allows a caller of another tenant" in findings["AZ-05"]["message"]


def test_the_same_runtime_unbroken_holds(orders: PromotedOrders) -> None:
    code, findings = _checked(orders, "AZ-05", "TOK-02")
    assert (code, {each["status"] for each in findings.values()}) == (0, {"pass"}), findings


def test_an_issuer_that_does_not_say_whose_a_caller_is_decides_nothing(orders: PromotedOrders) -> None:
    orders.edit("config/production.toml", 'tenant_claim = "tenant"\n', "")
    try:
        done = orders.launchworthy("check", "--environment", "rehearsal")
    finally:
        orders.run("git", "checkout", "-q", "config/production.toml")
    assert (done.returncode, "tenant-claim" in done.stderr) == (2, True), done.stderr


@contextmanager
def _broken(orders: PromotedOrders, file: str, before: str, after: str) -> Iterator[None]:
    """The installed runtime, with one text in it another."""
    [installed] = orders.root.glob(
        f".launchworthy/promotion/environment-*/lib/*/site-packages/launchworthy/{file}"
    )
    good = installed.read_text()
    assert good.count(before) == 1
    _write(installed, good.replace(before, after))
    try:
        yield
    finally:
        _write(installed, good)


def _write(path: Path, text: str) -> None:
    path.unlink()  # it may be a hard link into a cache
    path.write_text(text)


def _checked(orders: PromotedOrders, *controls: str) -> tuple[int, dict[str, dict[str, str]]]:
    """What a gate says that nobody has changed: this one's own."""
    asked = ("check", *controls, "--rehearse", "--environment", "rehearsal", "--format", "json")
    gate = (sys.executable, "-m", "launchworthy.cli", *asked)
    done = orders.run(*gate, "--python", orders.root / ".venv" / "bin" / "python", check=False)
    assert done.stdout, done.stderr
    return done.returncode, {each["control"]: each for each in json.loads(done.stdout)["findings"]}
