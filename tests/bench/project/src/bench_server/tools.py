"""The same work behind two manifests: one whose decision can be kept, one whose policy reads an argument."""

from typing import Annotated

from pydantic import Field

from launchworthy import tool

Number = Annotated[int, Field(ge=0, le=10**6)]


@tool
async def add(a: Number, b: Number) -> int:
    """Add two numbers."""
    return a + b


@tool
async def add_checked(a: Number, b: Number) -> int:
    """Add two numbers that a rule looks at."""
    return a + b
