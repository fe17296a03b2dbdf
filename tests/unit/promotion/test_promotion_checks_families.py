"""Each check that files decide: beside the finished project, which holds, one change that must be held."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from promotion_project import HASH, NOW, look

from launchworthy.promotion.checks.workflows import jobs_that_sign
from launchworthy.promotion.finding import Status
from launchworthy.vocabulary import Environment

PRODUCTION, STAGING, SERVER = "config/production.toml", "config/staging.toml", "manifests/server.toml"
CODE = "src/orders/tools.py"
TOOLS, RUNBOOK, RELEASE = "manifests/tools.toml", "RUNBOOK.md", ".github/workflows/release.yml"
AWS = "AKIA" + "Z7QK4M2XW5N3RT6B"
PROVENANCE = (
    "    permissions:\n      attestations: write # to file the provenance\n"
    "      id-token: write # to sign it; no code of this project runs here\n"
)
WAIVER = """
[[waivers]]
control      = "SUP-01"
environment  = "production"
reason       = "the platform's mirror rewrites hashes until it is replaced next month"
compensating = "the mirror's own signatures are verified"
owner        = "@acme/orders"
ticket       = "ORD-1432"
expires      = 2026-12-15
"""
EVIDENCE = f"""
[[evidence]]
control = "TR-02"
says    = "TLS ends at the ingress, TLS 1.3 only"
file    = "docs/edge.pdf"
sha256  = "{hashlib.sha256(b"").hexdigest()}"
owner   = "@acme/platform"
expires = 2027-02-18
"""
ROTATION = """
[[rotations]]
finding = "lwf1-6c1f0a9be2d47b35"
action  = "rotated"
on      = 2026-11-17
by      = "@acme/orders"
proof   = "vault audit, request 5d1c"
"""
SHELL = "import subprocess\n\n\ndef run(words):\n    subprocess.run(words, shell=True)  # noqa: S602\n"
CODEOWNERS, CI = ".github/CODEOWNERS", ".github/workflows/ci.yml"


def exception(rule, value, until=None):
    """A table of a named exception; its last day is 30 days ahead unless said."""
    until = until or datetime.fromtimestamp(NOW + 30 * 86_400, UTC).date().isoformat()
    return (
        f'[issuers.callers.exceptions.{rule}]\n{value}\nowner  = "@acme/orders"\nuntil  = {until}\n'
        'reason = "the provider cannot do this before its next release in spring"\n'
    )


BROKEN = {
    "the SDK's own context": (
        "ID-06",
        [
            (
                CODE,
                "from pydantic",
                "from mcp.server.auth.middleware.auth_context import get_access_token\nfrom pydantic",
            )
        ],
        "imports `mcp.server.auth",
    ),
    "the inside of the framework": (
        "ID-06",
        [(CODE, "from pydantic", "from launchworthy.credentials import sealed\nfrom pydantic")],
        "imports `launchworthy.credentials.sealed`",
    ),
    "the private parts of a call": (
        "ID-06",
        [(CODE, "call.app.get(order_id)\n    if", "call._authorized\n    if")],
        "`call._authorized` looks into",
    ),
    "the private parts of a call by name": (
        "ID-06",
        [(CODE, "call.app.get(order_id)\n    if", 'getattr(call, "_" + reason)\n    if')],
        "looks into the inside of a call",
    ),
    "the frames below": (
        "ID-06",
        [(CODE, "from pydantic", "import inspect\nFRAME = inspect.currentframe\nfrom pydantic")],
        "names `currentframe`",
    ),
    "an issuer by its address": (
        "KEY-07",
        [(PRODUCTION, 'issuer       = "https://login.acme.example"', 'issuer       = "https://10.1.2.3"')],
        "does not name its host by a plain name",
    ),
    "a key set by its address": (
        "KEY-07",
        [(PRODUCTION, 'max_lifetime = "1h"', 'max_lifetime = "1h"\njwks_uri = "https://10.1.2.3/keys"')],
        "does not name its host by a plain name",
    ),
    "a person's identity": (
        "ID-01",
        [(PRODUCTION, "spiffe://acme.example/ns/orders/sa/orders", "spiffe://acme.example/jo@acme.example")],
        "looks like a person",
    ),
    "an identity of nobody's trust domain": (
        "ID-01",
        [(PRODUCTION, '["acme.example"]', '["other.example"]')],
        "none of the trust domains",
    ),
    "the same audience twice": (
        "ID-02",
        [(STAGING, "https://staging.orders.invalid/mcp", "https://orders.acme.example/mcp")],
        "`server.resource` of staging is `server.resource` of production",
    ),
    "the same issuer under another name": (
        "ID-02",
        [
            (STAGING, "[issuers.callers]", "[issuers.others]"),
            (STAGING, 'issuer = "callers"', 'issuer = "others"'),
            (STAGING, "https://login.staging.orders.invalid", "https://login.acme.example"),
        ],
        "`issuers.others.issuer` of staging is `issuers.callers.issuer` of production",
    ),
    "the same issuer with a slash": (
        "ID-02",
        [(STAGING, "https://login.staging.orders.invalid", "https://login.acme.example/")],
        "`issuers.callers.issuer` of staging",
    ),
    "staging cannot be read": ("ID-02", [(STAGING, "[audit]", "[adit]")], "`adit`"),
    "an issuer on this machine": (
        "ID-05",
        [(PRODUCTION, "https://login.acme.example", "https://localhost:9999")],
        "is on loopback",
    ),
    "the simulated trust domain": (
        "ID-05",
        [(PRODUCTION, "acme.example/ns", "dev.invalid/ns"), (PRODUCTION, '["acme', '["dev.invalid", "acme')],
        "is in `dev.invalid`",
    ),
    "the simulated world imported": (
        "ID-05",
        [("src/orders/demo.py", "", "from launchworthy.testing import World\n")],
        "the package names the simulated world",
    ),
    "the simulated world imported sideways": (
        "ID-05",
        [("src/orders/demo.py", "", "from launchworthy import testing\n")],
        "the package names the simulated world",
    ),
    "an audience with a query": (
        "TOK-04",
        [(PRODUCTION, "https://orders.acme.example/mcp", "https://orders.acme.example:443/mcp")],
        "not canonical",
    ),
    "an exception that nobody approved": (
        "TOK-06",
        [(PRODUCTION, "[audit]", exception("client", 'value  = "azp"') + "\n[audit]")],
        "nobody has approved this exception",
    ),
    "an exception that is over": (
        "TOK-06",
        [(PRODUCTION, "[audit]", exception("several_audiences", "", until="2020-01-31") + "\n[audit]")],
        "was over on 2020-01-31",
    ),
    "an exception for years": (
        "TOK-06",
        [(PRODUCTION, "[audit]", exception("jti", 'value  = "uti"', until="2099-01-31") + "\n[audit]")],
        "more than 90 days",
    ),
    "the audience of staging": (
        "TOK-04",
        [
            (
                PRODUCTION,
                "[audit]",
                exception("audience", 'value  = "https://staging.orders.invalid/mcp"') + "\n[audit]",
            )
        ],
        "names the server in `staging` too",
    ),
    "an open listener without TLS": (
        "TR-02",
        [(PRODUCTION, 'tls      = "ingress"', 'tls      = "loopback"')],
        "nothing says where TLS ends",
    ),
    "a second script": (
        "TR-06",
        [("pyproject.toml", "[dependency-groups]", '[project.scripts]\nx = "orders:y"\n[dependency-groups]')],
        "a second way",
    ),
    "stdio by its function": (
        "TR-06",
        [("src/orders/local.py", "", "from mcp.server.stdio import stdio_server\n")],
        "stdio",
    ),
    "stdio by its name": (
        "TR-06",
        [("src/orders/local.py", "", "server.run(transport='stdio')\n")],
        "stdio",
    ),
    "a wildcard scope": ("AZ-03", [(TOOLS, '"orders:write"', '"orders:*"')], "`orders:*` of `place_order`"),
    "two wildcards": ("AZ-03", [(TOOLS, '"orders:write"', '"orders:**"')], "`orders:**`"),
    "an omnibus scope": ("AZ-03", [(TOOLS, '"orders:write"', '"orders:all"')], "`orders:all`"),
    "a scope of one word": ("AZ-03", [(TOOLS, '"orders:write"', '"write"')], "`write`"),
    "an omnibus that implies": (
        "AZ-03",
        [(SERVER, "[budget]", 'implies = { "orders-admin" = ["orders:write"] }\n\n[budget]')],
        "`orders-admin` of `implies`",
    ),
    "a case that is wrong": ("AZ-05", [("tests/policy.toml", "quantity = 21", "quantity = 20")], "expects"),
    "no case that says no": (
        "AZ-05",
        [
            (
                "tests/policy.toml",
                'scopes = ["orders:read", "orders:write"]\nexpect = "scope"',
                'scopes = ["orders:refund"]\napproved = true\nexpect = "allow"',
            ),
            ("tests/policy.toml", 'expect = "approval"', 'approved = true\nexpect = "allow"'),
        ],
        "`refund_order` is denied in staging",
    ),
    "no cases at all": ("AZ-05", [("tests/policy.toml", "", "")], "is allowed in staging"),
    "another scope than was reviewed": (
        "TL-02",
        [(TOOLS, '"orders:refund"', '"orders:write"')],
        "tools.refund_order.scopes is another",
    ),
    "another setting than was reviewed": (
        "TL-02",
        [(PRODUCTION, 'max_lifetime = "1h"', 'max_lifetime = "2h"')],
        "settings.production.",
    ),
    "another rule than was reviewed": (
        "TL-02",
        [("policy/rules.cedar", "delegation_depth > 2", "delegation_depth > 3")],
        "policy.production.digest is another",
    ),
    "a lock edited by hand": (
        "TL-02",
        [("launchworthy.lock", "Read the diff", "Skip the diff")],
        "its lines",
    ),
    "a word of a caller in a query": (
        "TL-03",
        [
            ("src/orders/store.py", '"SELECT * FROM orders WHERE order_id = ?", order_id', "f'{order_id}'"),
            ("src/orders/tools.py", "OrderId = Annotated[int, Field(ge=1, lt=2**31)]", "OrderId = str"),
        ],
        "`_run` puts a caller's words into the text of a query",
    ),
    "a shell, and a comment that silences it": (
        "TL-03",
        [("src/orders/more.py", "", SHELL)],
        "`run` hands a text to a shell",
    ),
    "what ruff alone sees": (
        "TL-03",
        [("src/orders/more.py", "", "import pickle\n\nDATA = pickle.load(open('data', 'rb'))  # noqa\n")],
        "ruff: S301",
    ),
    "a tool that one caller may call for ever": (
        "TL-05",
        [(TOOLS, 'rate      = "60/minute"', "")],
        "nothing bounds how often one caller may call `place_order`",
    ),
    "a secret in a notebook": (
        "SEC-02",
        [("docs/try.ipynb", "", f'{{"cells": [{{"source": ["aws_access_key_id = \\"{AWS}\\""]}}]}}\n')],
        "the tree holds a secret",
    ),
    "a secret in a file without an ending": ("SEC-02", [("notes", "", f"key {AWS}\n")], "aws"),
    "a secret in a hidden file": ("SEC-02", [(".env.local", "", f"KEY={AWS}\n")], "aws"),
    "nobody on call": (
        "GOV-01",
        [(SERVER, "on-call.acme.example", "on-call.orders.invalid")],
        "nobody is on call",
    ),
    "nobody to approve": (
        "GOV-01",
        [(SERVER, '["@acme/orders"]', '["@left-for-later/orders.invalid"]')],
        'nobody approves what goes to production: approvers = ["@left-for-later/orders.invalid"]',
    ),
    "reviewed too long ago": ("GOV-01", [(SERVER, "2026-11-18", "2026-08-19")], "91 days ago"),
    "reviewed in the future": ("GOV-01", [(SERVER, "2026-11-18", "2026-11-19")], "still to come"),
    "no runbook": ("GOV-01", [(SERVER, '"RUNBOOK.md"', '"docs/NIGHT.md"')], "there is no docs/NIGHT.md"),
    "owners of a longer name": (
        "GOV-01",
        [(".github/CODEOWNERS", "@acme/orders", "@acme/orders-legacy")],
        "CODEOWNERS",
    ),
    "owners in a comment": ("GOV-01", [(".github/CODEOWNERS", "*  @acme", "# *  @acme")], "CODEOWNERS"),
    "owners of the tests only": (
        "GOV-01",
        [(".github/CODEOWNERS", "*  @acme", "tests/  @acme")],
        "CODEOWNERS",
    ),
    "a plan in prose": (
        "GOV-04",
        [(RUNBOOK, "`config/staging.toml` and `config/production.toml` name", "there is")],
        "does not name spiffe://acme.example/ns/orders/sa/orders",
    ),
    "a plan elsewhere": (
        "GOV-04",
        [(SERVER, "RUNBOOK.md#decommission", "RUNBOOK.md#retire")],
        "no section `retire`",
    ),
    "no plan": ("GOV-04", [(SERVER, "RUNBOOK.md#decommission", "END.md#end")], "there is no file END.md"),
    "a waiver that nobody approved": ("GOV-06", [("promotion.toml", "", WAIVER)], "nobody has approved this"),
    "a waiver of what is never waived": (
        "GOV-06",
        [("promotion.toml", "", WAIVER.replace("SUP-01", "TOK-04"))],
        "a control of that kind never is",
    ),
    "a waiver of no control": (
        "GOV-06",
        [("promotion.toml", "", WAIVER.replace("SUP-01", "SUP-99"))],
        "no control of this release",
    ),
    "evidence that is not there": (
        "GOV-06",
        [("promotion.toml", "", EVIDENCE)],
        "docs/edge.pdf is not there",
    ),
    "evidence that is another file": (
        "GOV-06",
        [("promotion.toml", "", EVIDENCE), ("docs/edge.pdf", "", "something else")],
        "is not the file that `sha256` names",
    ),
    "evidence that has ended": (
        "GOV-06",
        [("promotion.toml", "", EVIDENCE.replace("2027", "2025")), ("docs/edge.pdf", "", "")],
        "ended on 2025-02-18",
    ),
    "a rotation that nobody approved": ("GOV-06", [("promotion.toml", "", ROTATION)], "nobody has approved"),
    "a rotation in the future": (
        "GOV-06",
        [("promotion.toml", "", ROTATION.replace("2026-11-17", "2026-11-20"))],
        "in the future",
    ),
    "a job that signs without release": (
        "GOV-02",
        [(RELEASE, "    environment: production\n", "")],
        "job `attest` signs without anybody having released it",
    ),
    "no hash": ("SUP-01", [("uv.lock", f', hash = "{HASH}"', "")], "`launchworthy` has no hash"),
    "an empty hash": ("SUP-01", [("uv.lock", HASH, "sha256:")], "`launchworthy` has no hash"),
    "a weak hash": ("SUP-01", [("uv.lock", HASH, "md5:" + "0" * 32)], "`launchworthy` has no hash"),
    "from git": (
        "SUP-01",
        [("uv.lock", 'registry = "https://index.acme.example/simple"', 'git = "https://git.acme.example"')],
        "comes from git",
    ),
    "from a folder": (
        "SUP-01",
        [("uv.lock", 'registry = "https://index.acme.example/simple"', 'editable = "../launchworthy"')],
        "comes from editable",
    ),
    "required and not locked": (
        "SUP-01",
        [
            (
                "pyproject.toml",
                "# Yours: below this line.",
                "\"Some_Thing[extra] >= 1; python_version > '3'\",",
            )
        ],
        "`some-thing` is required and not locked",
    ),
    "locked for another version": (
        "SUP-01",
        [("uv.lock", 'specifier = "~=0.1.0"', 'specifier = "~=0.0.9"')],
        "made for another `launchworthy`",
    ),
    "nobody attests where it was built": (
        "SUP-02",
        [(RELEASE, "actions/attest-build-provenance@", "actions/upload-artifact@")],
        "nothing attests where the wheel is built",
    ),
    "provenance of a build that may not have been": (
        "SUP-02",
        [(RELEASE, "    needs: build\n", "")],
        "waits for none",
    ),
    "provenance without an identity": (
        "SUP-02",
        [(RELEASE, "      id-token: write", "      contents: read")],
        "no identity to sign with",
    ),
    "provenance of nothing": (
        "SUP-02",
        [(RELEASE, "subject-path: dist/*.whl", "push-to-registry: false")],
        "names nothing that was built",
    ),
    "a bill of materials without a hash": (
        "SUP-02",
        [("uv.lock", ', hash = "sha256:' + "0f" * 32 + '"', "")],
        "in the bill of materials without a hash",
    ),
    "everything may be written": (
        "SUP-03",
        [(RELEASE, "permissions: {}", "permissions: write-all")],
        "grants write-all to every job",
    ),
    "permissions left to the repository": (
        "SUP-03",
        [(RELEASE, "\npermissions: {}\n", "\n")],
        "everything that the repository allows",
    ),
    "a job may write everything": (
        "SUP-03",
        [
            (
                RELEASE,
                PROVENANCE,
                "    permissions: write-all\n",
            )
        ],
        "may write everything",
    ),
    "an action by its tag": (
        "SUP-03",
        [(RELEASE, "@5fda3b95a4ea91299a34e894583c3862153e4b97 #", "@v7 #")],
        "uses actions/setup-python@v7",
    ),
    "strangers with rights": (
        "SUP-03",
        [(".github/workflows/ci.yml", "  pull_request:", "  pull_request_target:")],
        "pull_request_target",
    ),
    "who signs runs the project": (
        "SUP-03",
        [
            (
                RELEASE,
                "    permissions:\n      contents: read\n    steps:\n      - uses: actions/checkout",
                "    permissions:\n      id-token: write\n    steps:\n      - uses: actions/checkout",
            )
        ],
        "can sign and runs code of the project",
    ),
    "a secret beside the project's code": (
        "SUP-03",
        [(".github/workflows/ci.yml", "SESSION: ${{", "KEY: ${{ secrets.KEY }}\n          SESSION: ${{")],
        "holds a secret and runs code",
    ),
    "an action of ours that is not pinned": (
        "SUP-03",
        [(".github/actions/a/action.yml", "", "runs:\n  using: composite\n  steps:\n    - uses: o/n@main\n")],
        "this action uses o/n@main",
    ),
    "a workflow that is no YAML": ("SUP-03", [(".github/workflows/x.yml", "", "a: [")], "no YAML"),
    "answers without a template": (
        "SUP-05",
        [(".copier-answers.yml", "_commit: 0.1.0\n", "")],
        "name no template",
    ),
}


@pytest.mark.parametrize(("control", "edits", "says"), BROKEN.values(), ids=list(BROKEN))
def test_one_change_is_held_by_the_control_that_is_about_it(reference, control, edits, says):
    finding = look(control, reference.project(*edits))
    assert finding.status is Status.FAIL
    assert any(says in failure.what for failure in finding.failures), finding.failures
    assert all(failure.fix for failure in finding.failures)


def test_every_control_that_files_decide_has_a_change_that_it_holds():
    from promotion_project import CHECKED

    elsewhere = {
        "SEC-07",
        "SUP-04",
        "GOV-03",
        "GOV-07",
        "TOK-05",
        "AZ-01",
        "TL-01",
        "TL-04",
        "SEC-01",
        "SEC-03",
        "META-01",
    }
    assert {control for control, _, _ in BROKEN.values()} | elsewhere == CHECKED


@pytest.mark.parametrize(
    ("control", "path", "says"),
    [
        ("TL-02", "launchworthy.lock", "there is no launchworthy.lock"),
        ("SUP-01", "uv.lock", "there is no uv.lock"),
        ("SUP-05", ".copier-answers.yml", "there is no .copier-answers.yml"),
    ],
)
def test_what_must_be_there_is_missed(reference, control, path, says):
    project = reference.project()
    (project.root / path).unlink()
    from promotion_project import load

    finding = look(control, load(project.root, reference.answer))
    assert (finding.status, finding.message) == (Status.FAIL, says)


@pytest.mark.parametrize(
    ("control", "edits"),
    [
        ("TR-02", [(PRODUCTION, "0.0.0.0:8443", "127.0.0.1:8443"), (PRODUCTION, '"ingress"', '"loopback"')]),
        ("GOV-01", [(SERVER, "2026-11-18", "2026-08-20")]),
        ("GOV-01", [(CODEOWNERS, "*  @acme/orders", "/manifests/ @acme/orders\n/policy @acme/orders")]),
        ("GOV-04", [(RUNBOOK, "`config/staging.toml` and `config/production.toml` name",
                     "spiffe://acme.example/ns/orders/sa/orders and https://login.acme.example")]),
        ("SUP-01", [("uv.lock", 'registry = "https://index.acme.example/simple"', 'path = "wheels/x.whl"')]),
        ("SUP-01", [("uv.lock", ', specifier = "~=0.1.0"', ', path = "wheels/x.whl"')]),
        ("SUP-03", [(RELEASE, "permissions: {}", "permissions: read-all")]),
        ("SUP-03", [(CI, "SESSION: ${{", "T: ${{ secrets.GITHUB_TOKEN }}\n          SESSION: ${{")]),
    ],
)  # fmt: skip
def test_the_other_right_ways_hold_as_well(reference, control, edits):
    assert look(control, reference.project(*edits)).status is Status.PASS


def test_where_a_module_is_no_python_nothing_is_said_of_what_callers_words_become(reference):
    assert look("TL-03", reference.project(("src/orders/more.py", "", "def ("))).status is Status.ERROR


def test_a_project_without_workflows_is_not_asked_about_them(reference):
    project = reference.project()
    for path in (project.root / ".github" / "workflows").iterdir():
        path.unlink()
    finding = look("SUP-03", project)
    assert (finding.status, finding.message) == (Status.NOT_APPLICABLE, "there are no workflows")


def test_the_settings_of_staging_are_judged_where_staging_is_promoted(reference):
    project = reference.project(environment=Environment.STAGING)
    assert look("TOK-04", project).message == "the public URL was left for later"
    assert look("ID-01", project).status is Status.FAIL


def test_staging_may_have_exceptions_and_lists_them(reference):
    table = exception("typ", 'value  = "JWT"')
    edited = reference.project((STAGING, "[audit]", f"{table}\n[audit]"), environment=Environment.STAGING)
    finding = look("TOK-06", edited)
    assert finding.status is Status.PASS
    assert finding.message.startswith("callers: typ=JWT until ")
    assert "(@acme/orders): the provider cannot" in finding.message


@pytest.mark.parametrize(
    "run",
    ["launchworthy attest r", "launchworthy \\\n  attest r", "'launchworthy' \"attest\" r",
     "uvx launchworthy@1.2 attest r",
     "python -m launchworthy.cli attest r"],
)  # fmt: skip
def test_a_job_that_signs_is_seen_however_it_is_written(run: str) -> None:
    def signs(**job: object) -> list[tuple[str, bool]]:
        return list(jobs_that_sign(json.dumps({"jobs": {"a": {"steps": [{"run": run}], **job}}})))

    assert signs() == signs(environment="") == signs(environment={"name": ""}) == [("a", False)]
    assert signs(environment="production") == signs(environment={"name": "production"}) == [("a", True)]


def test_a_job_that_only_speaks_of_signing_is_none() -> None:
    said = {"jobs": {"a": {"steps": [{"run": "launchworthy promote && echo attest"}]}}}
    assert list(jobs_that_sign(json.dumps(said))) == []
