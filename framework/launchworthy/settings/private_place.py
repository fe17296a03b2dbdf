"""Is the simulated identity to be had from a private place? Its socket or file lies where only we put one."""

import os
import stat
from pathlib import Path

from launchworthy.settings.resolved import Settings
from launchworthy.vocabulary import Problem

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
FIELD = "identity.endpoint"


def check_private_place(settings: Settings) -> tuple[Problem, ...]:
    """Tell a simulated identity in a folder that is not ours or open to others; a real one is the node's."""
    if not settings.environment.simulated:
        return ()
    folder = Path(settings.identity.endpoint.removeprefix("unix://")).parent
    try:
        found = os.stat(folder)  # noqa: PTH116 - follows links, as connecting does
    except OSError:
        wrong = "is in no folder that can be looked at"
    else:
        if found.st_uid != os.geteuid():
            wrong = "is in a folder of another user"
        elif found.st_mode & _OTHERS_WRITE:
            wrong = "is in a folder that others may write"
        else:
            return ()
    return (
        Problem(
            reason="wrong-world",
            where=settings.sources.get(FIELD),
            what=f"`{FIELD}` {wrong}, and `{settings.environment}` is in the simulated world",
            fix=("keep the socket or the token in a folder of this user with mode 0700",),
            field=FIELD,
        ),
    )
