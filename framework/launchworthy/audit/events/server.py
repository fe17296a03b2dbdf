"""What did the server itself do? Starting, what it was configured with, ready, stopping, refused."""

from typing import ClassVar

from launchworthy.audit.events.event import Count, Event, Text, Words


class ServerStarting(Event):
    """A process has begun to start; written before anything else is trusted."""

    type: ClassVar[str] = "server.starting"

    environment: Text
    version: Text
    name: Text | None = None
    instance: Text | None = None
    process: Count | None = None
    python: Text | None = None
    settings_digest: Text | None = None
    exceptions: Words = ()


class ServerReady(Event):
    """Calls are taken from here on; never before `stream.bound`."""

    type: ClassVar[str] = "server.ready"

    resource: Text | None = None
    milliseconds: Count | None = None


class ServerStopping(Event):
    """No new calls; those that run may end."""

    type: ClassVar[str] = "server.stopping"

    reason: Text
    running: Count | None = None


class ServerRefused(Event):
    """The start was refused at a stage."""

    type: ClassVar[str] = "server.refused"

    stage: Text
    reason: Text
    detail: Text | None = None
    exit_code: Count | None = None


class ConfigLoaded(Event):
    """What is in force: digests and names, never values; and who answers for it."""

    type: ClassVar[str] = "config.loaded"

    settings_digest: Text | None = None
    manifest_digest: Text | None = None
    policy_digest: Text | None = None
    tools: Words = ()
    issuers: Words = ()
    owner: Text | None = None
    on_call: Text | None = None
    runbook: Text | None = None


class TrustLoaded(Event):
    """The promotion record was accepted under this trust policy."""

    type: ClassVar[str] = "trust.loaded"

    trust_digest: Text | None = None
    record_digest: Text | None = None
    signer: Text | None = None
    commit: Text | None = None
    detail: Text | None = None
