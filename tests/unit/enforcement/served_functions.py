"""Functions written for one test, with their manifests, ready to be served."""

import functools
import importlib.util
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from launchworthy.enforcement.served_function import serve_functions
from launchworthy.manifest import Manifests, Served, Server, load_manifests, match

SERVER = b"""
name = "shop"
title = "Shop"
description = "A shop for tests"
[ownership]
owner = "@acme/shop"
on_call = "https://on-call.acme.example/shop"
security = "security@acme.example"
approvers = ["@acme/leads"]
runbook = "RUNBOOK.md"
reviewed = 2026-11-20
[scopes]
entry = ["shop:read"]
[data]
classification = "internal"
tenancy = "single"
audit_retention = "400d"
[lifecycle]
stage = "active"
decommission = "RUNBOOK.md#decommission"
"""
TOOL = '[tools.f]\neffect = "read"\nscopes = ["shop:read"]\n'
HEADER = """
from dataclasses import dataclass
from typing import Annotated, Any
from pydantic import BaseModel, Field
from launchworthy.credentials import Call
from launchworthy.manifest import prompt, resource, tool
"""


@functools.cache
def _counter() -> Iterator[int]:
    return iter(range(10_000))


def matched(
    tmp_path, code: str, manifest: str = TOOL
) -> tuple[Manifests, Server[Any, Any], tuple[Served, ...]]:
    name = f"served_{next(_counter())}"
    path = tmp_path / f"{name}.py"
    path.write_text(HEADER + textwrap.dedent(code))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    manifests = load_manifests({"manifests/server.toml": SERVER, "manifests/tools.toml": manifest.encode()})
    server = Server(module)
    return manifests, server, match(manifests, server.marks())


def serve(tmp_path, code: str, manifest: str = TOOL):
    return serve_functions(matched(tmp_path, code, manifest)[2])
