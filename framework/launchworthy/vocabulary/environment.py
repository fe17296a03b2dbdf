"""Where are we? Four environments in two worlds that never mix."""

from enum import StrEnum


class Environment(StrEnum):
    """`LAUNCHWORTHY_ENVIRONMENT`; it has no default."""

    DEVELOPMENT = "development"
    REHEARSAL = "rehearsal"
    STAGING = "staging"
    PRODUCTION = "production"

    @property
    def simulated(self) -> bool:
        """Whether the world around the server is the simulated one."""
        return self in (Environment.DEVELOPMENT, Environment.REHEARSAL)


SIMULATED_TRUST_DOMAIN = "dev.invalid"
"""The reserved trust domain of every simulated identity; staging and production refuse it by name."""
