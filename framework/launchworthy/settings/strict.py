"""What is a table of settings? A class that cannot hold a secret, checked when it is defined.

`StrictSettings` refuses at class definition: text without a form, bytes, anything, free tables, secrets by
type, names that promise a secret, numbers without bounds, defaults that are secrets, a configuration weaker
than its own, and validators that go round it. Its instances hold no secret either, and what refuses one never
keeps what was given.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from launchworthy.settings.class_body import root
from launchworthy.settings.class_check import STRICT, check_settings_class
from launchworthy.settings.sweep import holds_secret

T = TypeVar("T")


def without_input(error: ValidationError) -> ValidationError:
    """The same error without what was given: neither a value, nor a name that is a secret."""
    return ValidationError.from_exception_data(
        error.title,
        [
            InitErrorDetails(
                type=PydanticCustomError(cast("Any", each["type"]), cast("Any", each["msg"])),
                loc=tuple("…" if holds_secret("", part) else part for part in each["loc"]),
                input=None,
            )
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        ],
        hide_input=True,
    )


def _quietly(make: Callable[[], T]) -> T:
    """Validate; an error is raised anew, outside of the one that it came from."""
    try:
        return make()
    except ValidationError as error:
        told = without_input(error)
    raise told


@root
class StrictSettings(BaseModel):
    """A table of settings in which no field can hold a secret."""

    model_config = cast("ConfigDict", STRICT)

    def __init__(self, /, **data: Any) -> None:
        """Validate the fields.

        Raises:
            ValidationError: which names the fields, and keeps no value.
        """
        _quietly(lambda: self.__pydantic_validator__.validate_python(data, self_instance=self))

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # nothing here but validating

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a class that could hold a secret.

        Raises:
            TypeError: naming the class, the field and what is allowed instead.
        """
        super().__pydantic_init_subclass__(**kwargs)
        complaints = tuple(check_settings_class(cls))
        if complaints:
            raise TypeError("; ".join(complaints))

    @model_validator(mode="after")
    def _holds_no_secret(self) -> Self:
        for name, value in self.__dict__.items():
            if holds_secret(name, value):
                raise PydanticCustomError("secret_by_value", "`{name}` holds a secret", {"name": name})
        return self

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """As pydantic's; an error keeps no value."""
        validate = super().model_validate
        return _quietly(lambda: validate(obj, **options))

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """As pydantic's; an error keeps no value."""
        validate = super().model_validate_json
        return _quietly(lambda: validate(json_data, **options))

    @classmethod
    def model_validate_strings(cls, obj: Any, **options: Any) -> Self:
        """As pydantic's; an error keeps no value."""
        validate = super().model_validate_strings
        return _quietly(lambda: validate(obj, **options))

    @classmethod
    def model_construct(  # type: ignore[override]  # it never returns
        cls,
        _fields_set: set[str] | None = None,
        **values: Any,  # noqa: ARG003
    ) -> NoReturn:
        """Refuse: nothing makes settings without validating them."""
        raise TypeError(f"{cls.__name__} is made by validating it, never by model_construct")

    def model_copy(self, *, update: Any = None, deep: bool = False) -> Self:
        """Copy as it is; changing a value on the way would not be validated.

        Raises:
            TypeError: `update` was given.
        """
        if update:
            raise TypeError(f"{type(self).__name__} is made by validating it, never by model_copy(update=…)")
        return super().model_copy(deep=deep)

    def copy(self, **_: Any) -> NoReturn:
        """Refuse: pydantic 1's way to change a value unseen."""
        raise TypeError(f"{type(self).__name__} is copied by model_copy()")

    if not TYPE_CHECKING:  # or every attribute could be set, for a type checker

        def __setattr__(self, name: str, value: object) -> None:
            """Refuse: settings do not change; the error keeps no value."""
            raise TypeError(f"{type(self).__name__} is frozen")


class Table(StrictSettings):
    """A table of the framework's own settings."""


class AppSettings(StrictSettings):
    """The `[app]` table: what a team's tools may configure, in closed types."""
