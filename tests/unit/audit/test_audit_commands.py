"""`audit show`, `audit hash`: what people and machines get to see, from files, directories and log stores."""

import base64
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from audit_world import Authority, Clock, bound_stream
from typer.testing import CliRunner

from launchworthy.audit import ArgumentRedactor
from launchworthy.audit.events import (
    ApprovalGranted,
    CredentialIssued,
    CredentialRevoked,
    RatelimitDenied,
    ToolAttempt,
    ToolDenied,
    ToolInputRequired,
    ToolOutcome,
)
from launchworthy.audit.reading import MAX_LINE
from launchworthy.audit.redaction import HMAC_PURPOSE
from launchworthy.audit.verification import verify_paths
from launchworthy.audit.verification_report import VerificationReport
from launchworthy.cli.audit_input import _from_stdin
from launchworthy.cli.main import app
from launchworthy.settings import KeyRing
from launchworthy.vocabulary import Environment, ProblemError, Reason

NOW = 1_795_143_731_000_000_000  # 2026-11-20T03:02:11Z
SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "audit-verification.schema.json"
CALL = "4T7K-9QX2-M0DV"
RUN = CliRunner()


def attempt(call, **more):
    who = {"subject": "00u4f2c", "client": "agent"}
    return ToolAttempt(**{"call": call, "target": "refund_order", "rule": "manifest:r", **who, **more})


def outcome(call, **more):
    return ToolOutcome(**{"call": call, "target": "refund_order", "outcome": "ok", "milliseconds": 4, **more})


def lease(**more):
    return {
        "call": CALL,
        "target": "refund_order",
        "credential": "payments",
        "broker": "openbao",
        "lease": "5d1c0f9e",
        **more,
    }


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_bytes(base64.b64encode(bytes(range(48))) + b"\n")
    return path


@pytest.fixture
def stream(tmp_path):
    return bound_stream(tmp_path / "audit", Authority().issue(), clock=Clock(NOW, 4_000_000))


@pytest.fixture
def files(stream, key_file):
    """A directory of one stream: an approved call, a denied one, one that is too quick, one that runs."""
    newest = KeyRing(key_file, purpose=HMAC_PURPOSE, environment=Environment.PRODUCTION).newest
    redactor = ArgumentRedactor(newest.material, newest.kid)
    asked = {"call": "AAAA-AAAA-AAAA", "target": "refund_order", "approval": "77aa", "approval_method": "url"}
    stream.record(ToolInputRequired(**asked, rules=("approval:refund_order",), subject="00u4f2c"))
    stream.record(
        ApprovalGranted(
            approval="77aa",
            approval_method="url",
            call=CALL,
            asked_by="AAAA-AAAA-AAAA",
            target="refund_order",
            approver="00u4f2c",
            age=41,
        )
    )
    arguments = redactor.redact("refund_order", {}, {"reason": "arrived in pieces"})
    stream.record(attempt(CALL, arguments=arguments))
    stream.record(CredentialIssued(**lease(scopes=("refunds:create",), not_after=NOW // 1_000_000_000 + 120)))
    stream.record(CredentialRevoked(**lease(detail="by the broker")))
    stream.record(outcome(CALL))
    stream.record(
        ToolDenied(
            call="DDDD-DDDD-DDDD", target="place_order", reason=Reason.TOOL_SCOPE, status=403, subject="00u9"
        )
    )
    stream.record(
        RatelimitDenied(
            call="RRRR-RRRR-RRRR",
            target="place_order",
            reason=Reason.LIMIT_RATE,
            status=429,
            limit="rate",
            subject="00u9",
        )
    )
    stream.record(attempt("LLLL-LLLL-LLLL"))
    stream.checkpoint()
    return stream.path.parent


def run(*arguments, stdin=None):
    return RUN.invoke(app, ["audit", *map(str, arguments)], input=stdin)


def test_every_request_has_a_line_and_every_decision_a_word(files):
    shown = run("show", files)
    assert shown.exit_code == 0
    assert [line[25:].split("  ")[0].strip() for line in shown.stdout.splitlines()] == [
        "refund_order", "refund_order", "place_order", "place_order", "refund_order",
    ]  # fmt: skip
    words = ("approval asked", "allowed, done", "denied: tool.scope", "denied: limit.rate", "outcome unknown")
    assert all(word in shown.stdout for word in words)


def test_a_search_that_finds_nothing_says_so(files):
    for options in (["--type", "break_glass"], ["--tool", "wipe_orders"], ["--principal", "nobody"]):
        shown = run("show", files, *options)
        assert (shown.exit_code, shown.stdout) == (1, "")
        assert shown.stderr.startswith("no record fits")
    assert run("show", files).stderr == ""


@pytest.mark.parametrize(
    ("options", "calls"),
    [
        (["--denied"], "DR"),
        (["--decision", "denied"], "DR"),
        (["--decision", "allowed"], "4L"),
        (["--decision", "asked"], "A"),
        (["--tool", "place_order"], "DR"),
        (["--principal", "00u9"], "DR"),
        (["--principal", "agent"], "4L"),
        (["--reason", "limit"], "R"),
        (["--reason", "tool.scope"], "D"),
        (["--since", "2026-11-20T03:02:11.030"], "DRL"),
        (["--until", "2026-11-20T03:02:11.013"], "A"),
        (["--principal", "nobody"], ""),
    ],
    ids=str,
)
def test_requests_are_filtered(files, options, calls):
    shown = run("show", files, "--format", "json", *options)
    assert "".join(json.loads(line)["call"][0] for line in shown.stdout.splitlines()) == calls
    assert shown.exit_code == (0 if calls else 1)


def test_one_call_is_told_from_its_token_over_approval_and_lease_to_its_outcome(files, stream):
    page = run("show", files, "--call", CALL, "--key", stream.verifier_key).stdout
    told = [line for line in page.splitlines() if line.startswith(("  +", "  -"))]
    assert [line.split()[1] for line in told] == [
        "approval.granted", "tool.attempt", "credential.issued", "credential.revoked", "tool.outcome",
    ]  # fmt: skip
    assert "approved   by subject 00u4f2c on the approval page, 41 s before, for exactly this call" in page
    assert "payments: refunds:create, for 2 min" in page
    assert "lease 5d1c" in page
    assert "payments: by the broker" in page
    assert "intact and sealed up to #" in page


def test_a_story_from_a_changed_file_says_so(files, stream):
    stream.path.write_bytes(stream.path.read_bytes().replace(b"00u4f2c", b"00u4f2d", 1))
    page = run("show", files, "--call", CALL, "--key", stream.verifier_key).stdout
    assert "tampered: record 2" in page
    assert "not verified: launchworthy audit verify" in run("show", files, "--call", CALL).stdout


def test_the_story_as_json_holds_every_step(files):
    told = json.loads(run("show", files, "--call", CALL, "--format", "json").stdout)
    assert [step["type"] for step in told["steps"]][-1] == "tool.outcome"
    assert told["verified"] is None


def test_records_of_a_type_or_a_family_are_shown_as_records(files):
    shown = run("show", files, "--type", "credential").stdout.splitlines()
    assert len(shown) == 2
    assert "credential.issued" in shown[0]
    assert "lease = 5d1c0f9e" in shown[0]
    told = json.loads(run("show", files, "--type", "credential.revoked", "--format", "json").stdout)
    assert told["data"]["detail"] == "by the broker"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda line: line,
        lambda line: f"2026-11-20T03:02:11.482113Z stdout F {line}",
        lambda line: f"[pod/orders-7d4-k2x/orders] {line}",
        lambda line: json.dumps({"log": line + "\n", "stream": "stdout"}),
        lambda line: json.dumps({"_source": {"message": line}}),
        lambda line: json.dumps({"hit": json.loads(line)}, indent=None),
    ],
    ids=["plain", "containerd", "kubectl", "docker", "store", "parsed"],
)
@pytest.mark.usefixtures("files")
def test_lines_of_a_log_store_are_read_whatever_stands_around_them(stream, wrap):
    lines = [wrap(line) for line in stream.path.read_text().splitlines()]
    stdin = "\n".join(["starting up", *lines, '{"event":"something else"}']) + "\n"
    shown = run("show", "-", "--format", "json", stdin=stdin)
    assert [json.loads(line)["call"][0] for line in shown.stdout.splitlines()] == list("A4DRL")
    assert "2 lines were no records" in shown.stderr
    assert "tool.outcome" in run("show", "-", "--call", CALL, stdin=stdin).stdout


def test_a_line_without_an_end_is_not_read_into_memory():
    class Endless(io.RawIOBase):
        left = 64 * MAX_LINE

        def readable(self):
            return True

        def readline(self, size=-1):
            assert size == MAX_LINE
            self.left -= size
            return b"x" * size if self.left >= 0 else b""

    with pytest.raises(ProblemError, match="holds 64 lines, and no record"):
        list(_from_stdin(Endless()))


def test_an_output_without_any_record_is_no_empty_audit():
    shown = run("show", "-", stdin="hello\n{}\n")
    assert shown.exit_code == 2
    assert json.loads(shown.stderr)["reason"] == "unreadable-audit"


@pytest.mark.usefixtures("files")
def test_the_first_line_comes_before_the_last_was_read(stream):
    """A file of any size begins to be shown at once: a pipe that is never closed shows that."""
    with subprocess.Popen(
        [sys.executable, "-m", "launchworthy.cli", "audit", "show", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        process.stdin.write(b"".join(stream.path.read_bytes().splitlines(keepends=True)[:-1]))
        process.stdin.flush()
        assert b"approval asked" in process.stdout.readline()
        process.stdin.close()
        process.wait(30)


def test_what_is_written_later_is_shown_by_one_who_follows(files, stream):
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "launchworthy.cli",
            "audit",
            "show",
            str(files),
            "--follow",
            "--type",
            "tool.outcome",
        ],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert CALL.encode() in process.stdout.readline()
        stream.record(outcome("LATE-LATE-LATE"))
        assert b"LATE-LATE-LATE" in process.stdout.readline()
        stream.close()
        later = bound_stream(files, Authority().issue(), clock=Clock(NOW + 10_000_000_000))
        later.record(outcome("NEXT-NEXT-NEXT"))
        assert b"NEXT-NEXT-NEXT" in process.stdout.readline()
        later.close()
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def look_up(key_file, tmp_path, value, *more, environment="production"):
    told = ("--key-file", key_file, "--environment", environment, "--why", "INC-1", "--log", tmp_path / "log")
    return run("hash", "refund_order", *more, *told, stdin=value)


def test_a_value_is_found_by_who_has_the_key_and_the_use_is_recorded(files, key_file, tmp_path):
    found = look_up(key_file, tmp_path, "arrived in pieces\n", files, "--argument", "reason")
    digest, line = found.stdout.splitlines()
    assert found.exit_code == 0
    assert digest in line
    assert "tool.attempt" in line
    used = json.loads(run("show", tmp_path / "log", "--type", "audit.hash_used", "--format", "json").stdout)[
        "data"
    ]
    assert (used["digest"], used["target"], used["argument"], used["why"]) == (
        digest, "refund_order", "reason", "INC-1",
    )  # fmt: skip
    raw = b"".join(path.read_bytes() for path in (tmp_path / "log").iterdir())
    assert b"arrived in pieces" not in raw


def test_another_value_argument_tool_or_environment_is_not_found(files, key_file, tmp_path):
    for value, argument, environment in (
        ("arrived in one piece", "reason", "production"),
        ("arrived in pieces", "order_id", "production"),
        ("arrived in pieces", "reason", "staging"),
    ):
        found = look_up(key_file, tmp_path, value, files, "--argument", argument, environment=environment)
        assert found.exit_code == 1
    assert len(list((tmp_path / "log").glob("*.jsonl"))) == 3


def test_a_use_that_cannot_be_recorded_has_no_answer(key_file, tmp_path):
    (tmp_path / "log").write_text("no directory")
    found = look_up(key_file, tmp_path, "x", "--argument", "reason")
    assert found.exit_code == 2
    assert found.stdout == ""


def test_results_and_tokens_have_digests_of_their_own(key_file, tmp_path):
    digests = {
        look_up(key_file, tmp_path, "1042", *options).stdout.strip()
        for options in (
            ("--argument", "order_id"), ("--argument", "order_id", "--json"),
            ("--domain", "result"), ("--domain", "token"),
        )
    }  # fmt: skip
    assert len(digests) == 4
    assert all(len(digest) == 8 + 1 + 32 for digest in digests)


@pytest.mark.parametrize(
    ("value", "options"),
    [("", ("--argument", "a")), ("x", ()), ("x", ("--argument", "a", "--domain", "token")),
     ("{", ("--argument", "a", "--json"))],
)  # fmt: skip
def test_a_look_up_that_says_too_little_or_too_much_is_undecided(key_file, tmp_path, value, options):
    asked = look_up(key_file, tmp_path, value, *options)
    assert asked.exit_code == 2
    assert json.loads(asked.stderr)["reason"] == "bad-look-up"


def test_the_report_of_a_verification_follows_its_published_schema(files, stream):
    stream.close()
    told = json.loads(run("verify", files, "--key", stream.verifier_key, "--format", "json").stdout)
    assert (told["state"], told["exit"]) == ("intact-sealed", 0)
    assert [call["call"] for call in told["unknown_outcomes"]] == ["LLLL-LLLL-LLLL"]
    VerificationReport.model_validate_json(json.dumps(told))
    schema = json.loads(SCHEMA.read_text())
    assert set(told) == set(schema["required"]) == set(schema["properties"])
    [only] = told["streams"]
    assert set(only) == set(schema["$defs"]["StreamVerdict"]["properties"])
    stream.path.write_bytes(stream.path.read_bytes().replace(b"00u9", b"00u8", 1))
    told = json.loads(run("verify", files, "--key", stream.verifier_key, "--format", "json").stdout)
    assert (told["state"], told["exit"], told["streams"][0]["damage"]["record"]) == ("tampered", 1, 8)
    VerificationReport.model_validate_json(json.dumps(told))


def test_who_waits_is_told_how_far_it_is(files):
    told = []
    verify_paths([files], require_sealed=False, progress=told.append)
    assert sum(told) == sum(path.stat().st_size for path in files.iterdir() if path.suffix == ".jsonl")
