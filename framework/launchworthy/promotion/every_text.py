"""Which texts are in a document? All of them, names included, as whoever reads it gets them."""

from collections.abc import Iterator, Mapping


def every_text(value: object) -> Iterator[str]:
    """Every text of a value that came from JSON, however deep."""
    match value:
        case str():
            yield value
        case Mapping():
            for name, inner in value.items():
                yield str(name)
                yield from every_text(inner)
        case list() | tuple():
            for inner in value:
                yield from every_text(inner)
        case _:
            return
