"""Transport: does TLS end somewhere, and is only what must be open open?"""

import hashlib
from collections.abc import Iterator

from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.checks.source import mentions
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.live.counting import DoesNotCount, require_counts
from launchworthy.promotion.live.document import MOST, read_document
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.promotion.trusted import FILE, EvidenceTable
from launchworthy.settings import Settings
from launchworthy.settings.closed import is_loopback
from launchworthy.vocabulary import Environment, ProblemError

_LIVE = "TR-05"
_STDIO = frozenset({"stdio", "stdio_server"})


@registry.check("TR-02")
def tls_ends_somewhere(project: Project) -> Iterator[Assertion]:
    """A listener that others can reach has an ingress in front that is declared."""
    server, sources = project.settings.server, project.settings.sources
    if server.tls == "loopback" and not is_loopback(server.listen[0]):
        yield broken(
            f"`{server.listen[0]}` can be reached by others, and nothing says where TLS ends",
            sources.get("server.listen"),
            'tls = "ingress"',
        )
    yield seen(f"the listener is {server.listen[0]}, and TLS ends at: {server.tls}")


@registry.check("TR-06")
def there_is_one_way_in(project: Project) -> Iterator[Assertion]:
    """The package starts by `python -m` alone, over HTTP: no second entry point, no stdio."""
    scripts = project.toml("pyproject.toml").get("project", {})
    for table in ("scripts", "gui-scripts", "entry-points"):
        for name in scripts.get(table, {}):
            yield broken(
                f"`{name}` is a second way to start something",
                "pyproject.toml",
                f"take [project.{table}] out: the container runs python -m {project.package}",
            )
    for mention in mentions(project):
        if mention.name in _STDIO or (mention.imported and "stdio" in mention.name.split(".")):
            yield broken("the package names the stdio transport", mention.where, "run(server) serves HTTP")
    yield seen(f"python -m {project.package} is the one way to start it")


@registry.check("TR-05")
def the_public_way_was_looked_at(project: Project) -> Iterator[Assertion]:
    """Before production: a live run of staging, a week old at most, approved, and said by the server."""
    if project.environment is not Environment.PRODUCTION:
        yield seen(f"a live run is asked for before production, and this is for {project.environment}")
        return
    staging = project.others.get(Environment.STAGING)
    if not isinstance(staging, Settings):
        yield broken("the settings of staging cannot be read", "config/staging.toml", "correct them")
        return
    pieces = [piece for piece in project.trusted.evidence if piece.table.control == _LIVE]
    command = f"launchworthy promote --live {staging.server.resource}"
    if not pieces:
        what = "nobody has looked at the public way to staging: no evidence for TR-05"
        yield broken(what, FILE, f"{command}, and the lines that it prints")
    for piece in pieces:
        try:
            approval = project.book.require(piece.matter)
            run = read_document(_evidence(project, piece.table), where=piece.table.file)
            says = require_counts(
                run,
                project=project.manifests.server.name,
                settings=staging,
                roots=project.roots,
                now=project.now,
            )
        except ProblemError as error:
            yield broken(error.problems[0].what, piece.where, *error.problems[0].fix)
        except DoesNotCount as error:
            yield broken(f"{piece.table.file}: {error}", piece.where, command)
        else:
            yield seen(f"{piece.table.file}: {says}; approved by {approval.name}")


def _evidence(project: Project, table: EvidenceTable) -> bytes:
    """The file of a piece of evidence, where it is the one that was named.

    Raises:
        DoesNotCount: it is not there, or another one.
    """
    file = project.root / table.file
    if not file.is_file() or not file.resolve().is_relative_to(project.root.resolve()):
        raise DoesNotCount("it is not there")
    with file.open("rb") as stream:
        content = stream.read(MOST + 1)
    if hashlib.sha256(content).hexdigest() != table.sha256:
        raise DoesNotCount("it is not the file that `sha256` names")
    return content
