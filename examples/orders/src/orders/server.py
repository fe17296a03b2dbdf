"""The orders server: its settings, what it keeps open while it runs, and what it serves."""

from collections.abc import Iterator
from contextlib import contextmanager

from launchworthy import AppSettings, DataFile, Server

from orders import tools
from orders.store import OrderStore


class Settings(AppSettings):
    """The `[app]` table of `config/<environment>.toml`; no field can hold a secret."""

    database: DataFile


@contextmanager
def open_app(settings: Settings) -> Iterator[OrderStore]:
    """Open what every call may use as `call.app`; closed after the last call has ended."""
    yield OrderStore(settings.database)


server = Server(tools, settings=Settings, app=open_app)
