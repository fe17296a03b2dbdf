"""Where do records lie? In `dist/promotion` before a build, then in the wheel, later in a mounted directory.

All that is found is unverified bytes; `verification` decides which of them counts.
"""

import re
from pathlib import Path

from launchworthy.attestation.content import EXTRA_METADATA, wheel_files
from launchworthy.attestation.envelope import ENVELOPE_LIMIT
from launchworthy.attestation.verification import UnverifiedRecord
from launchworthy.vocabulary import Environment, Problem, ProblemError

RECORD_DIRECTORY = "dist/promotion"
"""Below the project's root; made by `launchworthy attest`, never committed."""
_MAX_RECORDS = 64
_SUFFIX = ".dsse.json"
_IN_WHEEL = re.compile(rf"[^/]+\.dist-info/{EXTRA_METADATA}/[^/]+{re.escape(_SUFFIX)}", re.ASCII)


def record_name(environment: Environment) -> str:
    """The file name of a record: `record-production.dsse.json`."""
    return f"record-{environment}{_SUFFIX}"


def built_record(root: Path, environment: Environment) -> tuple[UnverifiedRecord, ...]:
    """What lies in `dist/promotion` for this environment: one record, or none.

    Raises:
        ProblemError: there is something, and it cannot be read.
    """
    path = root / RECORD_DIRECTORY / record_name(environment)
    return (read_record(path, f"{RECORD_DIRECTORY}/{path.name}"),) if path.exists() else ()


def records_in(directory: Path) -> tuple[UnverifiedRecord, ...]:
    """All records of a directory; none if it is not there.

    Raises:
        ProblemError: one cannot be read, or there are more than 64.
    """
    paths = sorted(directory.glob(f"*{_SUFFIX}"))
    if len(paths) > _MAX_RECORDS:
        fix = ("take out the expired ones",)
        what = f"holds {len(paths)} records; at most {_MAX_RECORDS} are looked at"
        raise ProblemError(Problem(reason="too-many-records", where=str(directory), what=what, fix=fix))
    return tuple(read_record(path, str(path)) for path in paths)


def installed_records(dist_info: Path) -> tuple[UnverifiedRecord, ...]:
    """The records that an installed wheel brought.

    Raises:
        ProblemError: as `records_in`.
    """
    return records_in(dist_info / EXTRA_METADATA)


def wheel_records(wheel: Path) -> tuple[UnverifiedRecord, ...]:
    """The records in a wheel.

    Raises:
        ProblemError: it is no wheel.
    """
    found = wheel_files(wheel, _IN_WHEEL, limit=ENVELOPE_LIMIT)
    return tuple(
        UnverifiedRecord(where=f"{wheel.name}:{name}", envelope=envelope) for name, envelope in found
    )


def read_record(path: Path, where: str) -> UnverifiedRecord:
    """One record, unverified.

    Raises:
        ProblemError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return UnverifiedRecord(where=where, envelope=stream.read(ENVELOPE_LIMIT + 1))
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        fix = ("make it readable for this process",)
        raise ProblemError(Problem(reason="record-unreadable", where=where, what=what, fix=fix)) from None
