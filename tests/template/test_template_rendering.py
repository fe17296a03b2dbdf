"""Every answer renders a project that is small, clean and readable by the framework."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from rendering import MATRIX, ROOT, files_of, git, render_into

from conftest import Render
from launchworthy.manifest import load_manifests, placeholders
from launchworthy.policy import compile_policy
from launchworthy.settings import inspect_settings, load_settings, read_project
from launchworthy.vocabulary import Environment, ProblemError

BIN = Path(sys.executable).parent
SYNTAX = re.compile(rb"(?<!\$)\{\{|\{%|\{#|%\}|#\}")
PINNED = re.compile(r"^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
TEAM = re.compile(
    r"README\.md|RUNBOOK\.md|promotion\.toml|(config|manifests)/\w+\.toml|policy/\w+\.cedar"
    r"|src/\w+/(server|store|tools)\.py|tests/(policy\.toml|test_tools\.py)"
)
UNMARKED = re.compile(r"src/\w+/(__init__\.py|__main__\.py|py\.typed)")


def workflows(project: Path) -> dict[str, dict]:
    return {path.stem: yaml.safe_load(path.read_text()) for path in project.glob(".github/workflows/*.yml")}


def test_a_project_is_small(project: Path) -> None:
    files = files_of(project)
    assert len(files) <= (38 if "deploy/deployment.yaml" in files else 32)


def test_promotion_finds_uv_beside_it_on_a_machine_that_has_none(project: Path) -> None:
    groups = tomllib.loads((project / "pyproject.toml").read_text())["dependency-groups"]
    assert any(re.match(r"uv\b", each) for each in groups["test"])
    assert 'sync(session, "test")\n    session.run("launchworthy"' in (project / "noxfile.py").read_text()


def test_no_template_syntax_is_left(project: Path) -> None:
    files = files_of(project)
    assert [
        path for path, content in files.items() if SYNTAX.search(content) or SYNTAX.search(path.encode())
    ] == []
    assert SYNTAX.search((ROOT / "template" / "pyproject.toml.jinja").read_bytes())


def test_no_fixer_would_change_a_file(project: Path) -> None:
    """What an end-of-file or whitespace fixer rewrites is a conflict in every later update."""
    for path, content in files_of(project).items():
        text = content.decode()
        assert "\r" not in text, path
        assert not text or (text.endswith("\n") and not text.endswith("\n\n")), path
        assert not text.startswith("\n"), path
        assert [line for line in text.splitlines() if line != line.rstrip()] == [], path
        assert not re.search(r"\n\n\n\n", text), path


def test_code_is_linted_and_formatted(project: Path) -> None:
    for command in (["check"], ["format", "--diff"]):
        ran = subprocess.run(
            [BIN / "ruff", *command, "--no-cache", "."],
            check=False,
            cwd=project,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_server_module_stays_short(project: Path) -> None:
    [server] = project.glob("src/*/server.py")
    assert len(server.read_text().splitlines()) <= 30


def test_modules_import_only_the_framework_and_themselves(project: Path) -> None:
    [package] = (path for path in (project / "src").iterdir() if path.is_dir())
    allowed = {"launchworthy", "pydantic", package.name} | sys.stdlib_module_names
    for module in package.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert {name.partition(".")[0] for name in names if name} <= allowed, module.name


def test_the_framework_reads_the_manifests(project: Path) -> None:
    files = {path: content for path, content in files_of(project).items() if path.startswith("manifests/")}
    manifests = load_manifests(files)
    assert [tool.name for tool in manifests.tools()] == ["find_orders", "place_order", "refund_order"]
    assert [resource.uri for resource in manifests.resources()] == ["orders://order/{order_id}"]
    left = {field for field, *_ in placeholders(manifests)}
    assert {"ownership.on_call", "ownership.security"} <= left


@pytest.mark.parametrize("environment", Environment)
def test_the_framework_compiles_the_rules(environment: Environment, project: Path) -> None:
    files = files_of(project)
    manifests = load_manifests({path: text for path, text in files.items() if path.startswith("manifests/")})
    rules = {path: text for path, text in files.items() if path.startswith("policy/")}
    policy = compile_policy(manifests, environment, rules)
    policy.self_test()
    assert [rule.id for rule in policy.rules] == ["team:no-bulk-orders", "team:short-delegation"]


@pytest.mark.parametrize("environment", [Environment.STAGING, Environment.PRODUCTION])
def test_the_framework_reads_the_settings(environment: Environment, project: Path) -> None:
    [package] = (path.name for path in (project / "src").iterdir() if path.is_dir())
    settings = inspect_settings(read_project(project, package), environment)
    assert settings.promoted["app"] == {"database": "orders.sqlite"}
    assert settings.promoted["server.tls"] == "ingress"
    with pytest.raises(ProblemError) as refused:
        load_settings({"LAUNCHWORTHY_ENVIRONMENT": environment}, read_project(project, package), None)
    assert {problem.reason for problem in refused.value.problems} <= {"placeholder-left", "unknown-field"}


@pytest.mark.parametrize("case", ["orders", "all left for later"])
def test_what_was_not_answered_is_a_placeholder_and_nothing_else_is(case: str, render: Render) -> None:
    config = tomllib.loads((render(case) / "config" / "production.toml").read_text())
    server = tomllib.loads((render(case) / "manifests" / "server.toml").read_text())
    answers = [
        config["server"]["resource"],
        config["issuers"]["callers"]["issuer"],
        config["identity"]["expected_id"],
        server["ownership"]["owner"],
    ]
    assert {".invalid" in answer for answer in answers} == {case != "orders"}


def test_staging_shares_nothing_with_production(project: Path) -> None:
    production, staging = (
        tomllib.loads((project / "config" / f"{name}.toml").read_text()) for name in ("production", "staging")
    )
    assert production["server"]["resource"] != staging["server"]["resource"]
    assert production["issuers"]["callers"]["issuer"] != staging["issuers"]["callers"]["issuer"]
    assert production["identity"]["expected_id"] != staging["identity"]["expected_id"]
    assert not set(production["identity"]["trust_domains"]) & set(staging["identity"]["trust_domains"])
    assert production.keys() == staging.keys()


def test_the_version_of_the_framework_stands_once_in_each_place(project: Path) -> None:
    text = (project / "pyproject.toml").read_text()
    settings = tomllib.loads(text)
    source = (ROOT / "framework" / "launchworthy" / "_version.py").read_text()
    major, minor = re.findall(r'__version__ = "(\d+)\.(\d+)\.', source)[0]
    pin = f"launchworthy~={major}.{minor}.0"
    assert pin in settings["build-system"]["requires"]
    assert settings["project"]["dependencies"] == [pin]
    for managed in re.finditer(rf"^.*\n *\"{re.escape(pin)}\",\n.*$", text, re.MULTILINE):
        assert managed[0].lstrip().startswith("# Managed by the template")
    builder = {line for line in settings["build-system"]["requires"] if line.startswith("hatchling==")}
    assert builder == set(settings["dependency-groups"]["build"])
    assert builder <= set(
        re.findall(r"^hatchling==\S+", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    )


def test_a_managed_file_says_so_in_its_first_line_and_no_other_does(project: Path) -> None:
    for path, content in files_of(project).items():
        says = "Managed by the template" in content.decode().partition("\n")[0]
        assert says is (not TEAM.fullmatch(path) and not UNMARKED.fullmatch(path)), path


def test_the_files_of_a_team_are_those_that_an_update_leaves_alone(project: Path) -> None:
    globs = yaml.safe_load((ROOT / "copier.yml").read_text())["_skip_if_exists"]
    protected = {str(path.relative_to(project)) for glob in globs for path in project.glob(glob.lstrip("/"))}
    assert protected == {path for path in files_of(project) if TEAM.fullmatch(path)}


def test_no_rendered_file_but_the_answers_names_the_commit_or_a_place(project: Path, template: Path) -> None:
    commit = git(template, "rev-parse", "HEAD").strip()[:7]
    naming = {
        path
        for path, text in files_of(project).items()
        if commit.encode() in text or str(template).encode() in text
    }
    assert naming == {".copier-answers.yml"}


def test_workflows_are_pinned_and_have_no_rights_by_default(project: Path) -> None:
    found = workflows(project)
    assert found.keys() == {"ci", "release", "upgrade"}
    for name, workflow in found.items():
        assert workflow["permissions"] == {}, name
        for job in workflow["jobs"].values():
            assert "permissions" in job
            assert "timeout-minutes" in job
    for path in project.glob(".github/workflows/*.yml"):
        for used in re.findall(r"uses: (.*)", path.read_text()):
            assert PINNED.match(used), used


def test_this_repository_keeps_the_rules_of_its_template() -> None:
    pins = [
        {
            line
            for path in folder.glob(".github/workflows/*.yml")
            for line in re.findall(r"uses: (.*)", path.read_text())
        }
        for folder in (ROOT, ROOT / "template")
    ]
    assert pins[0] < pins[1]
    assert all(PINNED.match(pin) for pin in pins[0])
    permissions = [workflow["permissions"] for workflow in workflows(ROOT).values()]
    assert permissions
    assert [each for each in permissions if each != {}] == []
    for path in (ROOT / ".github").rglob("*.yml"):
        assert yaml.safe_load(path.read_text()), path


def test_no_job_that_runs_code_of_the_project_can_ask_for_an_identity(project: Path) -> None:
    for workflow in workflows(project).values():
        for job in workflow["jobs"].values():
            lines = "\n".join(step.get("run", "") for step in job["steps"]).splitlines()
            if any(line.strip().startswith("python3 noxfile.py") for line in lines):
                assert job["permissions"] == {"contents": "read"}
    attest = workflows(project)["release"]["jobs"]["attest"]
    assert attest["environment"] == "production"
    assert attest["needs"] == "promote"


@pytest.mark.parametrize("case", ["orders", "orders, no Kubernetes"])
def test_zizmor_finds_nothing(case: str, render: Render) -> None:
    command = [BIN / "zizmor", "--offline", "--no-progress", render(case) / ".github"]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    assert "No findings" in ran.stdout + ran.stderr


@pytest.mark.parametrize("case", ["orders", "orders, a token file"])
def test_the_deployment_is_hardened(case: str, render: Render) -> None:
    documents = list(yaml.safe_load_all((render(case) / "deploy" / "deployment.yaml").read_text()))
    [pod] = [
        document["spec"]["template"]["spec"] for document in documents if document["kind"] == "Deployment"
    ]
    [container] = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"
    config = tomllib.loads((render(case) / "config" / "production.toml").read_text())
    mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert any(mount in config["identity"]["endpoint"] for mount in mounts)
    assert config["audit"]["directory"] in mounts
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert config["server"]["listen"].endswith(f":{ports['mcp']}")
    assert config["server"]["health_bind"].endswith(f":{ports['health']}")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("case", ["orders", "orders, a token file", "the longest name"])
def test_kustomize_builds_the_deployment(case: str, render: Render) -> None:
    ran = subprocess.run(
        ["kubectl", "kustomize", render(case) / "deploy"], check=False, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    kinds = {document["kind"] for document in yaml.safe_load_all(ran.stdout)}
    assert kinds >= {"Deployment", "NetworkPolicy", "Service", "ServiceAccount"}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("case", ["orders", "orders, a token file", "the longest name"])
def test_replicas_share_a_store_that_only_they_reach(case: str, render: Render) -> None:
    built = subprocess.run(
        ["kubectl", "kustomize", render(case) / "deploy-replicas"], check=True, capture_output=True, text=True
    ).stdout
    found: dict[str, list[dict]] = {}
    for document in yaml.safe_load_all(built):
        found.setdefault(document["kind"], []).append(document)
    server, store = sorted(found["Deployment"], key=lambda each: len(each["metadata"]["name"]))
    assert "PersistentVolumeClaim" not in found
    assert (server["spec"]["replicas"], store["spec"]["replicas"]) == (2, 1)
    [budget] = found["PodDisruptionBudget"]
    assert budget["spec"]["selector"] == server["spec"]["selector"] != store["spec"]["selector"]
    for deployment in (server, store):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"] == labels
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        assert {"livenessProbe", "readinessProbe", "startupProbe", "resources"} <= container.keys()
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
    name = store["metadata"]["name"]
    policies = {each["metadata"]["name"]: each["spec"] for each in found["NetworkPolicy"]}
    assert "egress" not in policies[name]
    assert policies[name]["policyTypes"] == ["Ingress", "Egress"]
    selected = [each["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for each in policies.values()]
    assert selected.count(name) == 1
    [said] = [each["data"]["valkey.conf"] for each in found["ConfigMap"]]
    assert "\nmaxmemory-policy noeviction\n" in said
    assert "\nport 0\n" in said


def test_only_the_wheel_and_its_lock_go_into_the_image(project: Path) -> None:
    lines = (project / ".dockerignore").read_text().splitlines()[1:]
    assert lines == ["*", "!dist/*.whl", "!dist/requirements.txt"]
    dockerfile = (project / "Dockerfile").read_text()
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE) == ["65532:65532"]
    assert "--require-hashes" in dockerfile


def test_a_project_without_kubernetes_has_no_trace_of_it(render: Render) -> None:
    for path, content in files_of(render("orders, no Kubernetes")).items():
        assert b"kubectl" not in content, path
        assert not path.startswith("deploy/")


def test_the_same_answers_give_the_same_bytes(tmp_path: Path, template: Path, render: Render) -> None:
    again = render_into(template, tmp_path / "again", MATRIX["orders"])
    assert files_of(again) == files_of(render("orders"))
    assert files_of(render("orders")) != files_of(render("orders, a token file"))


def test_the_example_is_the_rendering(render: Render) -> None:
    """It differs in `.copier-answers.yml` only; `python3 noxfile.py -s examples` renders it anew."""
    folder = ROOT / "examples" / "orders"
    kept = git(folder, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    rendered = files_of(render("orders"))
    assert {*kept, ".copier-answers.yml"} == rendered.keys()
    assert [path for path in kept if (folder / path).read_bytes() != rendered[path]] == []


@pytest.mark.parametrize("case", ["orders", "orders, no Kubernetes", "all left for later"])
def test_the_last_message_counts_the_files_and_names_what_is_left(
    case: str, tmp_path: Path, template: Path, render: Render
) -> None:
    data = [f"--data={name}={value}" for name, value in MATRIX[case].items()]
    command = [BIN / "copier", "copy", "--vcs-ref=HEAD", "--defaults", *data, template, tmp_path / "project"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert f"is there: {len(files_of(render(case)))} files" in said
    left = said.partition("promotion will ask:")[2].strip().split(" · ")
    assert ("authorization server" in left) is (case == "all left for later")
    assert "on call" in left
