"""How are the parts put together and kept alive? The composition root, startup stages, health, drain."""

import gc

_collects = gc.isenabled()
gc.disable()  # all that modules make stays: to look through it for garbage took an eighth of their import
try:
    from launchworthy.server.running import run
finally:
    if _collects:
        gc.enable()

__all__ = ["run"]
