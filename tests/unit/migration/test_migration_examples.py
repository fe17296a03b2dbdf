"""Is an example of its type, and what is drafted TOML, whatever a stranger calls an argument?"""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchworthy.manifest import Effect, TargetKind
from launchworthy.migration.draft import draft
from launchworthy.migration.examples import PLACEHOLDER, example_of
from launchworthy.migration.foreign import ForeignArgument, ForeignTarget


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (None, PLACEHOLDER),
        ("str", PLACEHOLDER),
        ("int", 1),
        ("int | None", 1),
        ("None | int", 1),
        ("Optional[int]", 1),
        ("typing.Optional[int]", 1),
        ("Union[None, float]", 1.5),
        ("Annotated[int, Field(description='x')]", 1),
        ("Annotated[int, Field(ge=10, le=99)]", 10),
        ("Annotated[int, Field(gt=10)]", 11),
        ("Annotated[int, annotated_types.Ge(7)]", 7),
        ("Annotated[int, Field(le=0)]", 0),
        ("Annotated[int, Field(lt=0)]", -1),
        ("Annotated[bool, Field(ge=1)]", False),
        ("Annotated[str, Field(min_length=3)]", PLACEHOLDER),
        ("Annotated[float | None, Field(ge=2.5)]", 2.5),
        ("Literal['small', 'large']", "small"),
        ("list[int]", [1]),
        ("list[Annotated[int, Field(ge=5)]]", [5]),
        ("dict[str, int]", {}),
        ("'int'", 1),
        ("datetime.date", "2026-11-20"),
        ("Order", PLACEHOLDER),
        ("int and (", PLACEHOLDER),
        ("'int and ('", PLACEHOLDER),
        ("lambda: 1", PLACEHOLDER),
    ],
)
def test_an_example_is_of_the_type(annotation, value):
    assert example_of(annotation) == value
    assert type(example_of(annotation)) is type(value)


def target(*arguments: ForeignArgument) -> ForeignTarget:
    return ForeignTarget(
        kind=TargetKind.TOOL,
        name="find",
        function="find",
        where="server.py:1",
        arguments=arguments,
        returns="str",
        uri=None,
        described=True,
        context=None,
        guess=Effect.READ,
    )


@pytest.mark.parametrize("name", ["größe", "数", "customer_id", "größe_2"])
def test_an_argument_of_any_name_is_a_key_of_toml(name):
    drafted = draft(
        (target(ForeignArgument(name=name, annotation="int", required=True)),), declared=frozenset()
    )
    table = tomllib.loads(drafted)["tools"]["find"]
    assert table["arguments"] == {name: "hmac"}
    assert table["example"] == {name: 1}


@given(st.text(max_size=40))
def test_no_text_of_a_type_stops_the_reading(annotation):
    example_of(annotation)
