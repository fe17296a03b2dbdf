"""The resources of the suite, as plain functions."""

from typing import TypedDict

from conformance_server.samples import PIXEL
from launchworthy import resource


class Data(TypedDict):
    """What a template answers."""

    id: str
    templateTest: bool
    data: str


@resource
def static_text() -> str:
    """A text."""
    return "This is the content of the static text resource."


@resource
def static_binary() -> bytes:
    """A picture."""
    return PIXEL


@resource
def template(id: str) -> Data:  # noqa: A002 - the suite's name
    """Data of one thing."""
    return {"id": id, "templateTest": True, "data": f"Data for ID: {id}"}


@resource
def watched() -> str:
    """A text that somebody might watch."""
    return "Watched resource content"
