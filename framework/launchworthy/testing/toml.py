"""How is a world file written? The small part of TOML that it needs."""

import json
from collections.abc import Mapping


def render_toml(tables: Mapping[str, Mapping[str, object]]) -> str:
    """Tables of strings, numbers, booleans and lists of strings; JSON's strings are TOML's basic strings."""
    lines: list[str] = []
    for name, fields in tables.items():
        lines.append(f"[{name}]")
        lines.extend(f"{field} = {json.dumps(value, ensure_ascii=False)}" for field, value in fields.items())
        lines.append("")
    return "\n".join(lines)
