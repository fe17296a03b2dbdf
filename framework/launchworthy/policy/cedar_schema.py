"""What do Cedar's types look like for these targets? Text, the same for the same targets."""

from collections.abc import Iterable, Mapping, Sequence

from launchworthy.manifest import TargetKey, TargetKind
from launchworthy.policy.attributes import PRINCIPAL_ATTRIBUTES, TARGET_ATTRIBUTES, Attribute


def _record(fields: Iterable[str]) -> str:
    inside = ", ".join(fields)
    return f"{{ {inside} }}" if inside else "{}"


def _entity_type(name: str, attributes: Iterable[str]) -> str:
    fields = (f'"{attribute}": String' for attribute in attributes)
    return f"entity {name} = {_record(fields)};"


ENTITY_TYPES = "\n".join(
    (_entity_type("Principal", PRINCIPAL_ATTRIBUTES), _entity_type("Target", TARGET_ATTRIBUTES), "")
)
"""What entities look like: one type of caller, one of target; neither has groups or tags."""


def action_id(key: TargetKey) -> str:
    """How Cedar calls a target: a tool by its name; others with their kind, `resource:order`."""
    kind, name = key
    return name if kind is TargetKind.TOOL else f"{kind}:{name}"


def schema_text(contexts: Mapping[TargetKey, Sequence[Attribute]]) -> str:
    """Write the schema: for each target an action whose context has these attributes."""
    actions = (_action(key, contexts[key]) for key in sorted(contexts))
    return ENTITY_TYPES + "".join(actions)


def _action(key: TargetKey, attributes: Sequence[Attribute]) -> str:
    return (
        f'action "{action_id(key)}" appliesTo {{\n'
        "  principal: [Principal],\n"
        "  resource: [Target],\n"
        f"  context: {_context(attributes)}\n"
        "};\n"
    )


def _context(attributes: Sequence[Attribute]) -> str:
    """A record; `arguments` and `token` are always there, so that a rule of every target may ask `has`."""
    fields = [_leaf(attribute) for attribute in attributes if len(attribute.path) == 1]
    for name in ("arguments", "token"):
        inside = [_leaf(attribute) for attribute in attributes if attribute.path[0] == name]
        fields.append(f'"{name}": {_record(sorted(inside))}')
    return _record(sorted(fields))


def _leaf(attribute: Attribute) -> str:
    return f'"{attribute.path[-1]}"{"?" if attribute.optional else ""}: {attribute.cedar_type}'
