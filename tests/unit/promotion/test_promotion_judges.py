"""A judge is run without our variables and with an end, and what it says is read as a stranger's."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from launchworthy.promotion.finding import Status
from launchworthy.promotion.judges import conformance, kingfisher, mcp_scanner
from launchworthy.promotion.judges.program import find_program, run_judge
from launchworthy.vocabulary import Problem, ProblemError


def program(folder: Path, script: str, name: str = "judge") -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def saying(folder: Path, said: object, code: int = 0) -> Path:
    text = folder / "said.json"
    text.write_text(said if isinstance(said, str) else json.dumps(said))
    return program(folder, f"cat {text}\nexit {code}")


def refused(error: pytest.ExceptionInfo[ProblemError]) -> Problem:
    [problem] = error.value.problems
    assert problem.reason == "judge-failed"
    assert problem.fix
    return problem


def test_it_gets_no_variable_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "canary-of-ci")
    monkeypatch.setenv("SPIFFE_ENDPOINT_SOCKET", "unix:///canary")
    ran = run_judge("judge", [program(tmp_path, "env")], folder=tmp_path, seconds=10)
    names = {line.partition("=")[0] for line in ran.stdout.decode().splitlines()}
    assert names >= {"PATH", "HOME"}
    assert b"canary" not in ran.stdout
    assert names <= {
        "PATH",
        "HOME",
        "LANG",
        "NO_COLOR",
        "LITELLM_LOCAL_MODEL_COST_MAP",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
    }


def test_it_ends_with_all_that_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = program(tmp_path, f"sleep 60 & echo $! > {pid}\nwait")
    began = time.monotonic()
    with pytest.raises(ProblemError) as error:
        run_judge("judge", [script], folder=tmp_path, seconds=1)
    assert "did not end" in refused(error).what
    assert time.monotonic() - began < 20
    end = time.monotonic() + 5
    while Path(f"/proc/{pid.read_text().strip()}/stat").exists() and time.monotonic() < end:
        if Path(f"/proc/{pid.read_text().strip()}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()


def test_what_is_not_there_is_not_found() -> None:
    assert find_program("no-such-judge") is None
    assert find_program("sh") is not None


def scanned(*tools: dict[str, Any]) -> dict[str, Any]:
    return {"server_url": "x", "scan_results": list(tools), "requested_analyzers": ["yara"]}


def tool(name: str, status: str = "completed", total: int = 0) -> dict[str, Any]:
    finding = {
        "severity": "HIGH" if total else "SAFE",
        "threat_names": ["POISON"] * total,
        "total_findings": total,
    }
    return {"tool_name": name, "status": status, "is_safe": not total, "findings": {"yara_analyzer": finding}}


def test_the_scanner_names_what_it_saw_and_what_it_holds(tmp_path: Path) -> None:
    judge = saying(tmp_path, scanned(tool("a"), tool("b", total=1)))
    tools, held = mcp_scanner.tool_findings(judge, "http://x", folder=tmp_path)
    assert (tools, held) == (frozenset({"a", "b"}), ("`b`: POISON (high)",))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("", 0),
        ("[]", 0),
        ("{}", 0),
        (scanned(tool("a")), 1),
        (scanned(tool("a", "failed")), 0),
        ({"scan_results": "no"}, 0),
    ],
)
def test_a_scanner_that_did_not_scan_is_an_error(tmp_path: Path, said: object, code: int) -> None:
    with pytest.raises(ProblemError) as error:
        mcp_scanner.tool_findings(saying(tmp_path, said, code), "http://x", folder=tmp_path)
    refused(error)


def test_no_tls_is_held_against_no_loopback(tmp_path: Path) -> None:
    findings = [
        {"severity": "HIGH", "summary": "plain", "details": {"check_id": "MCPS-001"}},
        {"severity": "HIGH", "summary": "open", "details": {"check_id": "MCPS-002"}},
    ]
    judge = saying(tmp_path, {"server_url": "x", "findings": findings})

    def held(*, simulated: bool) -> list[str]:
        return list(mcp_scanner.protocol_findings(judge, "x", folder=tmp_path, simulated=simulated))

    assert held(simulated=True) == ["MCPS-002 (high): open"]
    assert len(held(simulated=False)) == 2


def searched(blobs: int, *found: dict[str, Any]) -> dict[str, Any]:
    return {"findings": list(found), "metadata": {"summary": {"blobs_scanned": blobs, "rules_applied": 488}}}


def test_kingfisher_names_the_place_and_not_the_value(tmp_path: Path) -> None:
    finding = {
        "rule": {"name": "github-pat", "id": "x"},
        "finding": {"path": str(tmp_path / "src" / "a.py"), "line": 3, "snippet": "ghp_canary"},
    }
    judge = saying(tmp_path, json.dumps(searched(2, finding)) + '\n{"findings": 1}', 200)
    found = list(kingfisher.secrets_found(judge, tmp_path, files=2, folder=tmp_path))
    assert found == [("src/a.py", 3, "github-pat")]


@pytest.mark.parametrize(
    ("said", "code"), [("", 0), ("{}", 0), (searched(0), 0), (searched(2), 1), (searched(2), 2)]
)
def test_a_search_of_nothing_is_an_error(tmp_path: Path, said: object, code: int) -> None:
    with pytest.raises(ProblemError) as error:
        list(kingfisher.secrets_found(saying(tmp_path, said, code), tmp_path, files=2, folder=tmp_path))
    refused(error)


def suite(folder: Path, checks: object) -> Path:
    text = folder / "checks-said.json"
    text.write_text(json.dumps(checks))
    copied = f'mkdir -p "$2/server-x" && cp {text} "$2/server-x/checks.json"'
    script = f'while [ "$1" != "-o" ]; do shift; done\n{copied}'
    return program(folder, script, name="suite")


def test_the_suite_names_what_fails_and_which_tools_it_saw(tmp_path: Path) -> None:
    checks = [
        {"id": "tools-list", "status": "SUCCESS", "details": {"toolCount": 1, "tools": ["a"]}},
        {"id": "wire", "status": "FAILURE", "description": "no good"},
        {"id": "<b>", "status": "FAILURE", "description": "x"},
        {"id": "warned", "status": "WARNING"},
    ]
    judge = suite(tmp_path, checks)
    wrong, tools, good = conformance.scenario_findings(judge, "http://x", "tools-list", folder=tmp_path)
    assert (wrong, tools, good) == (("wire: no good", "a check: x"), frozenset({"a"}), 1)


@pytest.mark.parametrize("checks", [None, {}, [{"id": 7}], "x"])
def test_a_suite_that_left_no_result_is_an_error(tmp_path: Path, checks: object) -> None:
    judge = program(tmp_path, "exit 0") if checks is None else suite(tmp_path, checks)
    with pytest.raises(ProblemError) as error:
        conformance.scenario_findings(judge, "http://x", "caching", folder=tmp_path)
    refused(error)


def test_without_any_judge_the_control_does_not_apply(
    reference: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from promotion_project import look

    monkeypatch.setenv("PATH", str(tmp_path))
    finding = look("META-02", reference.project())
    assert finding.status is Status.NOT_APPLICABLE
    required = reference.project(("config/production.toml", "[promotion]", "[promotion]\njudges = true"))
    assert look("META-02", required).status is not Status.NOT_APPLICABLE
    program(tmp_path, "true", name=kingfisher.NAME)
    assert look("META-02", reference.project()).status is not Status.NOT_APPLICABLE
    assert os.environ["PATH"] == str(tmp_path)
