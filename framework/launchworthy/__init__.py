"""launchworthy: an MCP server that may run in production, and the proof that it still may.

The names below are what a team writes with. They are loaded on first use (PEP 562), so that importing
the package, or its build hook, loads no SDK.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from launchworthy._version import __version__

if TYPE_CHECKING:
    from launchworthy.credentials import Call
    from launchworthy.identity.own_workload import Workload
    from launchworthy.manifest import Server, completion, prompt, resource, tool
    from launchworthy.settings import AppSettings, DataFile
    from launchworthy.vocabulary import ToolError

__all__ = [
    "AppSettings",
    "Call",
    "DataFile",
    "Server",
    "ToolError",
    "Workload",
    "__version__",
    "completion",
    "prompt",
    "resource",
    "tool",
]

_HOMES = {
    "AppSettings": "launchworthy.settings",
    "Call": "launchworthy.credentials",
    "DataFile": "launchworthy.settings",
    "Server": "launchworthy.manifest",
    "ToolError": "launchworthy.vocabulary",
    "Workload": "launchworthy.identity.own_workload",
    "completion": "launchworthy.manifest",
    "prompt": "launchworthy.manifest",
    "resource": "launchworthy.manifest",
    "tool": "launchworthy.manifest",
}


def __getattr__(name: str) -> Any:
    """Load a public name from where it lives."""
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module `launchworthy` has no attribute `{name}`") from None
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """What is public."""
    return sorted(__all__)
