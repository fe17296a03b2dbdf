"""What is written swiftly is what the model writes, and what the model refuses is refused."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from launchworthy.audit.events import (
    PromptOutcome,
    ResourceDenied,
    SwiftRecord,
    ToolAttempt,
    ToolDenied,
    ToolOutcome,
    swiftly,
)
from launchworthy.vocabulary import Reason

TEXTS = st.one_of(
    st.text(alphabet="ab-/:. ~!{}[]", max_size=20),
    st.text(max_size=12),
    st.integers(60, 300).map("x".__mul__),
    st.sampled_from(["", '"', "\\", "\n", "\x7f", "\u2028", "\ud800", "é", '"' * 70, "…" * 200]),
)
ODD = st.one_of(TEXTS, st.none(), st.booleans(), st.integers(-2, 2**54), st.floats(), st.binary(max_size=3))
SCALARS = st.one_of(TEXTS, st.none(), st.booleans(), st.integers(-(2**54), 2**54))
SHOWN = st.dictionaries(
    st.one_of(st.sampled_from(["clear", "hmac", "drop", "b"]), TEXTS), SCALARS, max_size=3
)
ARGUMENTS = st.dictionaries(st.one_of(st.sampled_from("abc"), TEXTS), SHOWN, max_size=4)
WORDS = st.one_of(
    st.lists(TEXTS, max_size=5).map(tuple),
    st.frozensets(TEXTS, max_size=5),
    st.lists(TEXTS, max_size=3),
    st.integers(30, 40).map(lambda count: tuple(f"w{number}" for number in range(count))),
)
SAYS = st.dictionaries(st.one_of(st.sampled_from(["name", "version"]), TEXTS), ODD, max_size=10)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "call": TEXTS, "target": TEXTS, "method": TEXTS, "issuer": TEXTS, "actors": WORDS, "scopes": WORDS,
    "rules": WORDS, "arguments": ARGUMENTS, "durable": st.one_of(st.booleans(), st.none()),
    "token_age": st.integers(-1, 2**54), "client_says": st.one_of(SAYS, st.none()),
    "reason": st.one_of(st.sampled_from(Reason), st.none()), "status": st.integers(-1, 600),
    "outcome": st.one_of(st.sampled_from(["ok", "error", "timeout"]), TEXTS),
    "milliseconds": st.integers(-1, 9),
    "result_bytes": st.one_of(st.none(), st.integers(0, 9)), "result_digest": TEXTS, "detail": TEXTS,
    "unheard_of": TEXTS,
}  # fmt: skip
MODELS = st.sampled_from([ToolAttempt, ToolOutcome, ToolDenied, ResourceDenied, PromptOutcome])


def written(make: Any) -> bytes | str:
    try:
        return make().written()
    except ValidationError as refused:
        return str(sorted((error["loc"], error["type"]) for error in refused.errors()))
    except ValueError as refused:
        return type(refused).__name__


@st.composite
def events(draw: Any) -> tuple[Any, dict[str, Any]]:
    model = draw(MODELS)
    said = {}
    for name in model.model_fields:
        if name in FIELDS and (model.model_fields[name].is_required() or draw(st.booleans())):
            said[name] = draw(FIELDS[name])
    for name in draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=1)):
        said[name] = draw(ODD)
    if draw(st.integers(0, 9)) == 0:
        said.pop("call", None)
    return model, said


@given(events())
@example((ToolAttempt, {"call": "c", "target": "t", "arguments": {}, "actors": (), "scopes": frozenset()}))
@example((ToolAttempt, {"call": "c", "target": "t", "arguments": {"b": {"clear": 1}, "a": {"drop": "x"}}}))
@example((ToolAttempt, {"call": "c", "target": "t", "durable": False, "token_age": True}))
@example((ToolOutcome, {"call": "c", "target": "t", "outcome": "ok", "milliseconds": 1, "detail": '"'}))
@example((ToolDenied, {"call": "c", "target": "t", "reason": Reason.TOOL_SCOPE, "status": 403}))
def test_it_is_what_the_model_writes(case: tuple[Any, dict[str, Any]]) -> None:
    model, said = case
    assert written(lambda: swiftly(model, said)) == written(lambda: model(**said))


@pytest.mark.parametrize("scopes", [frozenset({"b", "a"}), ("b", "a"), ()])
def test_the_record_of_an_ordinary_call_takes_no_model(scopes: Any) -> None:
    said = {
        "call": "4T7K-9QX2-M0DV", "target": "place_order", "method": "tools/call", "scopes": scopes,
        "arguments": {"quantity": {"clear": 2}, "item": {"hmac": "k:00ff"}}, "durable": True, "trace": None,
        "client_says": {"name": "agent", "version": "1.0"}, "actors": (), "token_age": 7,
    }  # fmt: skip
    record = swiftly(ToolAttempt, said)
    assert isinstance(record, SwiftRecord)
    assert record.type == ToolAttempt.type
    assert (record.stranger, record.weight) == (None, 1)
    assert record.written() == ToolAttempt(**said).written()
