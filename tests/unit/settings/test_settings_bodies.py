"""What the body of a settings class may do, and what would open the types that its fields have."""

import enum
from typing import Annotated, Any, ClassVar, Final, get_args

import pytest
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    PrivateAttr,
    SkipValidation,
    ValidationError,
    WrapValidator,
    create_model,
    field_validator,
    model_validator,
)
from settings_cases import PRODUCTION, in_production

from launchworthy.settings import (
    AppSettings,
    Duration,
    Identifier,
    check_settings_class,
)
from launchworthy.settings.closed import Closed
from launchworthy.vocabulary import ProblemError

TOKEN: Final = "gh" + "p_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq17"


def test_a_secret_beside_the_fields_is_refused() -> None:
    with pytest.raises(TypeError):

        class Shop(AppSettings):
            region: Identifier
            fallback: ClassVar[str] = TOKEN

    with pytest.raises(TypeError):

        class Other(AppSettings):
            region: Identifier
            _fallback: str = PrivateAttr(TOKEN)


@pytest.mark.parametrize(
    "mark",
    [
        PlainValidator(lambda value: value),
        WrapValidator(lambda value, _handler: value),
        SkipValidation(),
        AfterValidator(lambda _: TOKEN),
    ],
    ids=["plain", "wrap", "skip", "after"],
)
def test_a_closed_type_cannot_be_opened_by_another_validator(mark: Any) -> None:
    with pytest.raises(TypeError, match=r"Shop\.region"):
        create_model("Shop", __base__=AppSettings, region=(Annotated[Identifier, mark], ...))


def test_a_closed_type_cannot_be_claimed() -> None:
    for marks in (
        [Closed("anything")],
        [Closed("identifier"), AfterValidator(lambda value: value)],
        [get_args(Identifier)[1], AfterValidator(lambda value: value)],
        [get_args(Identifier)[1]],
    ):
        with pytest.raises(TypeError, match=r"Shop\.region"):
            create_model("Shop", __base__=AppSettings, region=(Annotated[str, *marks], ...))
    assert (
        list(check_settings_class(create_model("Shop", __base__=AppSettings, region=(Identifier, ...)))) == []
    )


def test_a_validator_of_the_class_cannot_go_round_the_types() -> None:
    with pytest.raises(TypeError):

        class Plain(AppSettings):
            region: Identifier

            @field_validator("region", mode="plain")
            @classmethod
            def _anything(cls, value: object) -> object:
                return value

    with pytest.raises(TypeError):

        class Wrapped(AppSettings):
            region: Identifier

            @model_validator(mode="wrap")
            @classmethod
            def _anything(cls, value: Any, handler: Any) -> Any:
                return handler(value)


def test_a_subclass_cannot_take_the_locks_off() -> None:
    with pytest.raises(TypeError, match="model_construct"):

        class Weak(AppSettings):
            region: Identifier

            @classmethod
            def model_construct(cls, *_: Any, **__: Any) -> Any:  # type: ignore[override]
                return None


def test_the_second_look_from_outside_finds_what_was_changed_later() -> None:
    class Shop(AppSettings):
        region: Identifier

    assert list(check_settings_class(Shop)) == []
    Shop.model_config = ConfigDict(extra="allow")
    assert any("extra" in complaint for complaint in check_settings_class(Shop))


def test_a_class_that_hides_the_first_look_does_not_get_past_the_second() -> None:
    with pytest.raises(TypeError, match="__pydantic_init_subclass__"):

        class Sly(AppSettings):
            @classmethod
            def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
                """Without asking the parent."""

    class Slyer(AppSettings):
        """Harmless, for now."""

    type.__setattr__(Slyer, "__pydantic_init_subclass__", lambda **_: None)

    class Shop(Slyer):
        anything: str

    with pytest.raises(ProblemError) as error:
        in_production(f'{PRODUCTION}\n[app]\nanything = "x"\n', Shop)
    assert error.value.problems[0].reason == "weak-settings-class"


def test_a_before_validator_is_ours_only() -> None:
    kind = Annotated[Duration, BeforeValidator(lambda value: value)]
    with pytest.raises(TypeError, match=r"Shop\.wait"):
        create_model("Shop", __base__=AppSettings, wait=(kind, ...))
    made = create_model("Shop", __base__=AppSettings, wait=(Annotated[Duration, Field(le=60)], ...))
    assert made(wait="5s").wait == 5.0  # type: ignore[attr-defined]
    with pytest.raises(ValidationError):
        made(wait="2m")


def test_a_validator_may_look_at_what_was_validated() -> None:
    class Shop(AppSettings):
        regions: tuple[Identifier, ...]
        limit: ClassVar[int] = 3

        @field_validator("regions", mode="after")
        @classmethod
        def _sorted(cls, value: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(sorted(value))

        @model_validator(mode="after")
        def _few(self) -> "Shop":
            if len(self.regions) > self.limit:
                raise ValueError("too many")
            return self

    assert Shop(regions=("b", "a")).regions == ("a", "b")
    with pytest.raises(ValidationError, match="too many"):
        Shop(regions=("a", "b", "c", "d"))


def test_a_validator_that_brings_a_secret_is_refused_with_the_instance() -> None:
    class Shop(AppSettings):
        region: Identifier

        @field_validator("region", mode="after")
        @classmethod
        def _other(cls, value: str) -> str:
            return TOKEN if value == "us" else value

    assert Shop(region="eu").region == "eu"
    with pytest.raises(ValidationError, match="region") as error:
        Shop(region="us")
    assert TOKEN not in repr(error.value.errors())


def test_an_enumeration_takes_its_members_only() -> None:
    class Open(enum.StrEnum):
        RED = "red"

        @classmethod
        def _missing_(cls, value: object) -> Any:
            return cls.RED if value else None

    with pytest.raises(TypeError, match="more than its members"):
        create_model("Shop", __base__=AppSettings, kind=(Open, ...))


def test_a_mixin_cannot_open_what_it_is_mixed_into() -> None:
    class Mixin:
        def __init__(self, **data: Any) -> None:
            """Without validating."""

    class Harmless:
        def shown(self) -> str:
            return "shop"

    with pytest.raises(TypeError, match="__init__"):

        class Shop(Mixin, AppSettings):
            region: Identifier

    class Other(Harmless, AppSettings):
        region: Identifier

    assert Other(region="eu").shown() == "shop"
