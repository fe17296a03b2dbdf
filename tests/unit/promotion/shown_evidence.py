"""What a platform shows of the finished project: its inventory, its container, a second operator's run."""

import hashlib
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime

from promotion_project import NOW, Reference

from launchworthy.attestation import ReleasedJob
from launchworthy.promotion.project import Project

DAY = 86_400
ENTRY = {
    "name": "example.acme/orders",
    "version": "0.1.0",
    "remotes": [{"type": "streamable-http", "url": "https://orders.acme.example/mcp"}],
    "_meta": {"registry.acme.example": {"serverId": "5d1c-88f0", "status": "active"}},
}
SERVING = {
    "pid": 1,
    "name": "python",
    "uids": [65532, 65532, 65532, 65532],
    "effective": 0,
    "permitted": 0,
    "bounding": 0,
    "no_new_privileges": True,
    "seccomp": 2,
}
CONTAINER = {
    "schema": "urn:launchworthy:evidence:container:v1",
    "server": "orders",
    "environment": "production",
    "made_at": NOW - DAY,
    "processes": [SERVING],
    "read_only_root": True,
    "memory_limit": 512 * 1024 * 1024,
}


def step(name, **changes):
    """One step of a handover that went well."""
    good = {"command": name, "seconds": 1.5, "exit_code": 0, "holds": True, "says": "as it must"}
    return {"name": name, **good, **changes}


def handover(handed_over, **changes):
    """What a second operator's run says."""
    return {
        "schema": "urn:launchworthy:evidence:handover:v1",
        "server": "orders",
        "commit": handed_over,
        "made_at": NOW - DAY,
        "operator": "sam@acme.example",
        "lent": [],
        "steps": [step(each) for each in ("clone", "install", "check", "rehearse")],
        **changes,
    }


def commit_of(reference: Reference) -> str:
    """What was handed over."""
    command = ["git", "-C", str(reference.root), "rev-parse", "HEAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def shown(control, content, *, days=30, text=None):
    """A file of evidence, and its entry of promotion.toml."""
    text = json.dumps(content) if text is None else text
    path = f"docs/evidence/{control.lower()}.json"
    until = datetime.fromtimestamp(NOW + days * DAY, UTC).date()
    entry = f"""
[[evidence]]
control = "{control}"
says    = "what the platform shows of it"
file    = "{path}"
sha256  = "{hashlib.sha256(text.encode()).hexdigest()}"
owner   = "@acme/platform"
expires = {until}
"""
    return path, text, entry


def project_showing(reference: Reference, *evidence, edits=(), approved=True, **options) -> Project:
    """A copy with this evidence, each piece as of `shown`, and a platform that lets a job be released."""
    files = [(path, "", text) for path, text, _ in evidence]
    ledger = "".join(entry for _, _, entry in evidence)
    project = reference.project(("promotion.toml", "", ledger), *files, *edits, **options)
    if not approved:
        return project
    return replace(project, book=replace(project.book, approvers=ReleasedJob.RELEASED_JOB))


def everything(reference: Reference):
    """All that a production deployment is asked to show."""
    return (
        shown("GOV-03", ENTRY),
        shown("GOV-07", handover(commit_of(reference))),
        shown("SUP-04", CONTAINER),
    )
