"""Transport: does TLS end somewhere, and is only what must be open open?"""

from collections.abc import Iterator

from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.checks.source import mentions
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.settings.closed import is_loopback

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
