"""What do the clients of people want to be told about the running `launchworthy dev`? Lines to paste.

All but the last discover the issuer by themselves, open its page, and get a token by one click there. One
that speaks stdio alone needs a bridge of somebody else: this server has no stdio, where nothing is verified.
"""

import json
import shlex


def configuration(name: str, url: str) -> dict[str, object]:
    """The table that most clients keep: `.mcp.json`, Claude Desktop, Cursor, Windsurf."""
    return {"mcpServers": {name: {"type": "http", "url": url}}}


def client_lines(name: str, url: str) -> tuple[str, ...]:
    """One line a client: what it is called, and what is pasted there.

    Args:
        name: of the server.
        url: where it listens.
    """
    code = json.dumps({"name": name, "type": "http", "url": url})
    bridge = {"mcpServers": {name: {"command": "npx", "args": ["-y", "mcp-remote", url]}}}
    told = (
        ("Claude Code", f"claude mcp add --transport http {name} {url}"),
        ("VS Code", f"code --add-mcp {shlex.quote(code)}"),
        ("Codex", f"codex mcp add {name} --url {url}"),
        ("Cursor, .mcp.json", json.dumps(configuration(name, url))),
        (
            "MCP Inspector",
            f"npx @modelcontextprotocol/inspector --cli {url} --transport http --method tools/list",
        ),
        ("only stdio", f"{json.dumps(bridge)}    (a bridge of somebody else)"),
    )
    return tuple(f"  {client:<18} {line}" for client, line in told)
