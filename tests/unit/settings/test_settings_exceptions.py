"""What may be overlooked in an issuer's tokens: a closed list, each with a reason, an owner and an end."""

from datetime import date

import pytest
from settings_cases import PRODUCTION, changed, in_production

from launchworthy.settings import listed_exceptions
from launchworthy.vocabulary import ProblemError

REASON = "the provider cannot set this before its release in spring"
GOOD = f"""
[issuers.acme.exceptions.typ]
value = "JWT"
reason = "{REASON}"
owner = "@acme/orders"
until = 2027-01-31
"""


def test_an_exception_is_read_with_all_that_it_says() -> None:
    issuer = in_production(PRODUCTION + GOOD).issuers["acme"]
    [found] = listed_exceptions(issuer.exceptions)
    assert (found.rule, found.value, found.owner, found.until) == (
        "typ",
        "JWT",
        "@acme/orders",
        date(2027, 1, 31),
    )
    assert found.line() == "typ=JWT until 2027-01-31 (@acme/orders)"
    assert found.ends_at == 1_801_440_000


def test_all_rules_that_can_be_excepted_are_listed() -> None:
    terms = f'reason = "{REASON}"\nowner = "@acme/orders"\nuntil = 2027-01-31\n'
    values = {
        "typ": "absent",
        "audience": "6f0c3c1e",
        "client": "cid",
        "jti": "uti",
        "several_audiences": None,
    }
    text = "".join(
        f"\n[issuers.acme.exceptions.{rule}]\n{terms}" + (f'value = "{value}"\n' if value else "")
        for rule, value in values.items()
    )
    issuer = in_production(PRODUCTION + text).issuers["acme"]
    assert {each.rule: each.value for each in listed_exceptions(issuer.exceptions)} == values
    assert issuer.client_claim == "cid"
    assert in_production().issuers["acme"].client_claim == "client_id"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("exceptions.typ", "exceptions.exp"),
        ('value = "JWT"\n', ""),
        ('value = "JWT"', 'value = "a b"'),
        (f'reason = "{REASON}"\n', ""),
        (REASON, "because"),
        (REASON, REASON.replace("provider", "p" * 33)),
        ('owner = "@acme/orders"\n', ""),
        ("@acme/orders", "jo@acme.example"),
        ("until = 2027-01-31\n", ""),
        ("2027-01-31", '"soon"'),
        ("2027-01-31", "20270131.5"),
        ("2027-01-31", "20270131"),
        ("2027-01-31", "2027-01-31T00:00:00"),
        ("until = 2027-01-31", "until = 2027-01-31\napproved = true"),
        ("exceptions.typ", "exceptions.several_audiences"),
        ("exceptions.typ", "exceptions.client"),
        ("exceptions.typ", "exceptions.jti"),
    ],
)
def test_an_exception_that_lacks_something_or_says_more_is_refused(old: str, new: str) -> None:
    in_production(PRODUCTION + GOOD)
    with pytest.raises(ProblemError) as error:
        in_production(PRODUCTION + changed(GOOD, (old, new)))
    assert {problem.reason for problem in error.value.problems} <= {
        "bad-value",
        "missing-field",
        "unknown-field",
    }


@pytest.mark.parametrize(
    ("until", "now", "says"),
    [
        ("2027-01-31", date(2027, 1, 31), None),
        ("2027-01-31", date(2027, 2, 1), "was over on 2027-01-31"),
        ("2027-01-31", date(2026, 11, 2), None),
        ("2027-01-31", date(2026, 11, 1), "more than 90 days"),
    ],
)
def test_an_exception_holds_through_its_last_day_and_for_90_days_at_most(
    until: str, now: date, says: str | None
) -> None:
    text = changed(GOOD, ("2027-01-31", until))
    [found] = listed_exceptions(in_production(PRODUCTION + text).issuers["acme"].exceptions)
    seconds = (now - date(1970, 1, 1)).days * 86_400
    mistake = found.mistake(seconds)
    assert mistake is None if says is None else says in (mistake or "")


def test_introspection_is_for_one_issuer_and_its_endpoint_is_not_set_alone() -> None:
    asked = changed(PRODUCTION, ('max_lifetime = "1h"', 'max_lifetime = "1h"\nintrospection = true'))
    assert in_production(asked).issuers["acme"].introspection
    second = asked.replace("[issuers.acme]", "[issuers.other]").replace("login.acme", "login.other")
    both = asked + second[second.index("[issuers.other]") : second.index("[audit]")]
    with pytest.raises(ProblemError, match="one issuer at most"):
        in_production(both)
    endpoint = 'introspection_endpoint = "https://ask.acme.example/i"'
    in_production(changed(asked, ("introspection = true", f"introspection = true\n{endpoint}")))
    with pytest.raises(ProblemError, match="introspection = true"):
        in_production(changed(PRODUCTION, ('max_lifetime = "1h"', f'max_lifetime = "1h"\n{endpoint}')))
    local = endpoint.replace("ask.acme.example", "localhost")
    nearby = changed(asked, ("introspection = true", f"introspection = true\n{local}"))
    with pytest.raises(ProblemError, match="loopback"):
        in_production(nearby)
