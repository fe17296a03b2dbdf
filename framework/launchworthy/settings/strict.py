"""What is a table of settings? A class that cannot hold a secret, checked when it is defined.

`StrictSettings` refuses at class definition: text without a form, bytes, anything, free tables, secrets by
type, names that promise a secret, numbers without bounds, defaults that are secrets, and a configuration
weaker than its own.
"""

from typing import Any, ClassVar, NoReturn, Self, cast

from pydantic import BaseModel, ConfigDict

from launchworthy.settings.class_check import STRICT, check_settings_class


class StrictSettings(BaseModel):
    """A table of settings in which no field can hold a secret."""

    model_config = cast("ConfigDict", STRICT)
    __launchworthy_checked__: ClassVar[bool] = True

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


class Table(StrictSettings):
    """A table of the framework's own settings."""


class AppSettings(StrictSettings):
    """The `[app]` table: what a team's tools may configure, in closed types."""
