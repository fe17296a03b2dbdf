"""Where do references to secrets lead? To places of this environment, and to files that only it may read."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.checks.deployment import (
    Document,
    container_files,
    documents,
    inner,
    listed,
    tables,
)
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.settings import Settings

_SCHEMES: Final = ("file:", "openbao:")
_ROOTS: Final = ("file:/run/secrets/", "file:/run/credentials/")
_MOUNTED: Final = ("/run/secrets", "/run/credentials")
_PRIVATE: Final = 0o440
_STORE_FIELDS: Final = ("address", "mount", "path", "role", "role_arn")


@registry.check("SEC-07")
def references_lead_to_places_of_their_own(project: Project) -> Iterator[Assertion]:
    """References name places of one environment; what is mounted is private, and nothing is in an image."""
    yield from _named(project)
    yield from _shared(project)
    yield from _deployed(project)
    yield seen(f"no reference of {project.rehearsed} leads out of its places")


def _named(project: Project) -> Iterator[Assertion]:
    for environment, settings in _readable(project):
        for field, reference in (*_references(settings), *_of_the_team(project, environment)):
            if reference.startswith("file:") and not reference.startswith(_ROOTS):
                yield broken(
                    f"`{field}` of {environment} leads to `{reference}`",
                    settings.sources.get(field, f"config/{environment}.toml"),
                    "mount it below /run/secrets: file:/run/secrets/NAME",
                )
            else:
                yield seen(f"`{field}` of {environment} leads to {reference}")


def _deployed(project: Project) -> Iterator[Assertion]:
    for document in documents(project):
        if isinstance(document, Document):
            yield from _mounted(document)
    for file in container_files(project):
        for each in file.final:
            if each.word in {"COPY", "ADD"} and any(place in each.text for place in _MOUNTED):
                yield broken(
                    "a secret would be part of the image",
                    f"{file.path}:{each.line}",
                    "mount it where the image runs, and rotate what was built in",
                )


def _readable(project: Project) -> Iterator[tuple[str, Settings]]:
    yield project.rehearsed.value, project.settings
    for environment, other in project.others.items():
        if isinstance(other, Settings):
            yield environment.value, other


def _references(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every reference in the settings, the team's own among them, by field."""
    for field, value in settings.promoted.items():
        if isinstance(value, str) and value.startswith(_SCHEMES):
            yield field, value


def _of_the_team(project: Project, environment: str) -> Iterator[tuple[str, str]]:
    """Every reference in the team's own table, which only the file says here."""
    app = project.toml(f"config/{environment}.toml").get("app", {})
    for table in tables(app):
        for name, value in table.items():
            if isinstance(value, str) and value.startswith(_SCHEMES):
                yield f"app.{name}", value


def _shared(project: Project) -> Iterator[Assertion]:
    """Whether two environments borrow the same thing of the same store."""
    mine = {place: name for name, place in _lent(project.settings)}
    for environment, other in project.others.items():
        if not isinstance(other, Settings):
            continue
        for name, place in _lent(other):
            if place in mine:
                yield broken(
                    f"`{name}` of {environment} is lent from where `{mine[place]}` of {project.rehearsed} is",
                    other.sources.get(name, f"config/{environment}.toml"),
                    "give each environment a path and a role of its own",
                )
            else:
                yield seen(f"`{name}` of {environment} is lent from a place of its own")


def _lent(settings: Settings) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What stores lend: the field, and all that says what exactly; a mounted file is each machine's own."""
    for name, table in settings.credentials.items():
        if table.broker in {"openbao", "aws-sts"}:
            said = (str(getattr(table, field)) for field in _STORE_FIELDS)
            yield f"credentials.{name}", (table.broker, *said)
    for field, reference in _references(settings):
        if reference.startswith("openbao:"):
            yield field, (reference,)


def _mounted(document: Document) -> Iterator[Assertion]:
    """What a manifest mounts as a secret, and what it passes in variables."""
    for table in tables(document.content):
        for volume in listed(table, "volumes"):
            yield from _volume(document, volume)
        for variable in listed(table, "env"):
            if "secretKeyRef" in inner(variable, "valueFrom"):
                yield _in_a_variable(document, str(variable.get("name")))
        for source in listed(table, "envFrom"):
            if "secretRef" in source:
                yield _in_a_variable(document, "envFrom")


def _volume(document: Document, volume: Mapping[str, Any]) -> Iterator[Assertion]:
    projected = inner(volume, "projected")
    own = inner(volume, "secret")
    secrets = [(own, own)] if "secret" in volume else []
    for source in listed(projected, "sources"):
        secrets += [(inner(source, "secret"), projected)] if "secret" in source else []
    for secret, around in secrets:
        name = secret.get("secretName", secret.get("name"))
        items = listed(secret, "items")
        modes = [item.get("mode", around.get("defaultMode")) for item in items] or [around.get("defaultMode")]
        if all(isinstance(mode, int) and mode & ~_PRIVATE == 0 for mode in modes):
            yield seen(f"the secret `{name}` of {document.called} is mounted for its owner and group to read")
        else:
            yield broken(
                f"the secret `{name}` of {document.called} is mounted for everybody to read",
                document.path,
                "defaultMode: 0440   # and fsGroup of the pod",
            )


def _in_a_variable(document: Document, name: str) -> Assertion:
    return broken(
        f"{document.called} passes a secret in a variable (`{name}`), which every child and crash report has",
        document.path,
        "mount it below /run/secrets, and refer to it: file:/run/secrets/NAME",
    )
