"""What do calls share? The team's `app`, opened before the first call and closed after the last."""

import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from launchworthy.identity.own_workload import Workload
from launchworthy.server.parts import Parts
from launchworthy.vocabulary import Problem, StartupRefused

STAGE = "listen"
_SETTINGS_AND_WORKLOAD = 2


async def open_app(parts: Parts) -> Any:
    """Enter `Server(app=…)` with the settings; what it yields is every call's `call.app`.

    Raises:
        StartupRefused: it is no context manager, or it raised; the team's own traceback is in the
            operations log.
    """
    factory: Callable[..., Any] | None = parts.definition.app
    if factory is None:
        return None
    parts.settings.prepare_data_directory()
    try:
        manager = factory(parts.settings.app, *_workload(parts, factory))
        if isinstance(manager, AbstractAsyncContextManager):
            return await parts.stack.enter_async_context(manager)
        if isinstance(manager, AbstractContextManager):
            return parts.stack.enter_context(manager)
    except Exception as error:
        raise _refused(f"raised {type(error).__name__}: {error}") from error
    if inspect.iscoroutine(manager):
        manager.close()
    raise _refused("returned no context manager")


def _workload(parts: Parts, factory: Callable[..., Any]) -> tuple[Workload, ...]:
    """This workload, for who asks for it by a second parameter."""
    parameters = inspect.signature(factory).parameters.values()
    places = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    if len(places) < _SETTINGS_AND_WORKLOAD:
        return ()
    trust_domains = parts.settings.identity.trust_domains
    return (Workload(parts.identity, trust_domains=trust_domains, clock=parts.surroundings.clock),)


def _refused(what: str) -> StartupRefused:
    problem = Problem(
        reason="app-not-opened",
        what=f"the server's `app` {what}",
        fix=("see `app=` in server.py: a function from settings to a context manager",),
    )
    return StartupRefused(STAGE, problem)
