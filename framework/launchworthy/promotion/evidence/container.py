"""How is a container confined? What its kernel says of every process in it: written there, judged here.

`launchworthy evidence container` prints it inside of the container that the release job starts; it reads
`/proc` and `/sys` and nothing else, so that an image without a shell can be asked.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA: Final = "urn:launchworthy:evidence:container:v1"
NET_BIND_SERVICE: Final = 1 << 10
_FILTERED: Final = 2
_MOST: Final = 256
_NO_LIMIT: Final = 1 << 60
"""What the first version of cgroups writes where there is none, and more."""
_SPACE: Final = "/sys/fs/cgroup"
_LIMITS: Final = (f"{_SPACE}/memory.max", f"{_SPACE}/memory/memory.limit_in_bytes")
Count = Annotated[int, Field(ge=0)]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Process(_Said):
    """One process, as `/proc/<pid>/status` has it.

    Attributes:
        pid: inside of the container.
        name: of its program.
        uids: real, effective, saved and of the file system.
        effective: capabilities that it has.
        permitted: those that it may take.
        bounding: those that it could ever get.
        no_new_privileges: whether a program that it starts gets no more than it has.
        seccomp: 2 where its system calls are filtered.
    """

    pid: Count
    name: Annotated[str, Field(max_length=64)]
    uids: tuple[Count, Count, Count, Count]
    effective: Count
    permitted: Count
    bounding: Count
    no_new_privileges: bool
    seccomp: Count

    def mistakes(self) -> Iterator[str]:
        """How it has more than a server needs, a few words each."""
        who = f"process {self.pid} ({self.name})"
        if 0 in self.uids:
            yield f"{who} runs as root"
        if self.effective or self.permitted:
            yield f"{who} has capabilities"
        if self.bounding & ~NET_BIND_SERVICE:
            yield f"{who} could get capabilities: drop ALL"
        if not self.no_new_privileges:
            yield f"{who} may gain privileges"
        if self.seccomp != _FILTERED:
            yield f"{who} may make any system call"


class ContainerEvidence(_Said):
    """What a container says of its confinement.

    Attributes:
        server: by its manifest.
        environment: whose container it is.
        made_at: seconds since the epoch.
        processes: all of them.
        read_only_root: whether nothing can be written to its image.
        memory_limit: in bytes; None where there is none.
    """

    schema_: Literal["urn:launchworthy:evidence:container:v1"] = Field(alias="schema")
    server: Annotated[str, Field(max_length=128)]
    environment: Literal["staging", "production"]
    made_at: Count
    processes: Annotated[tuple[Process, ...], Field(min_length=1, max_length=_MOST)]
    read_only_root: bool
    memory_limit: Count | None

    def mistakes(self) -> Iterator[str]:
        """What is open, a few words each."""
        for process in self.processes:
            yield from process.mistakes()
        if not self.read_only_root:
            yield "its file system can be written"
        if self.memory_limit is None:
            yield "its memory has no limit"


def read_container(root: Path, *, server: str, environment: str, now: int) -> ContainerEvidence:
    """What the kernel says here.

    Args:
        root: `/`, below which `proc` and `sys` are.
        server: by its manifest.
        environment: whose container this is.
        now: seconds since the epoch.

    Raises:
        OSError: there is no `/proc`, as outside of Linux.
        ValueError: it says something that no kernel says, or there are too many processes for a container.
    """
    folders = [each for each in (root / "proc").iterdir() if each.name.isdigit()]
    processes = [found for each in sorted(folders) if (found := _process(each)) is not None]
    return ContainerEvidence.model_validate(
        {
            "schema": SCHEMA,
            "server": server,
            "environment": environment,
            "made_at": now,
            "processes": tuple(processes),
            "read_only_root": bool(os.statvfs(root).f_flag & os.ST_RDONLY),
            "memory_limit": _memory_limit(root),
        }
    )


def _process(folder: Path) -> Process | None:
    """A process; None where it has ended meanwhile."""
    try:
        lines = (folder / "status").read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    said = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    uids = [int(each) for each in said["Uid"].split()]
    return Process(
        pid=int(folder.name),
        name=said["Name"][:64],
        uids=(uids[0], uids[1], uids[2], uids[3]),
        effective=int(said["CapEff"], 16),
        permitted=int(said["CapPrm"], 16),
        bounding=int(said["CapBnd"], 16),
        no_new_privileges=said.get("NoNewPrivs") == "1",
        seccomp=int(said.get("Seccomp", "0")),
    )


def _memory_limit(root: Path) -> int | None:
    """The limit of the cgroup, of either version; None where there is none."""
    for path in _LIMITS:
        file = root / path.lstrip("/")
        if file.is_file():
            text = file.read_text(encoding="ascii").strip()
            return int(text) if text.isdigit() and int(text) < _NO_LIMIT else None
    return None
