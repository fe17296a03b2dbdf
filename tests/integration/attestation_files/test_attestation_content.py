"""What is digested of a wheel, and which wheels have no digest; where records are found."""

import hashlib
import warnings
import zipfile
from pathlib import Path

import pytest

from launchworthy.attestation.content import (
    WHEEL_LIMIT,
    files_digest,
    installed_content_digest,
    wheel_content_digest,
)
from launchworthy.attestation.envelope import ENVELOPE_LIMIT
from launchworthy.attestation.records import (
    built_record,
    installed_records,
    record_name,
    records_in,
    wheel_records,
)
from launchworthy.vocabulary import Environment, ProblemError

INFO = "orders-1.dist-info"
FILES = {
    "orders/__init__.py": b"",
    "orders/tools.py": b"x = 1\n",
    f"{INFO}/METADATA": b"Name: orders\n",
    f"{INFO}/licenses/LICENSE": b"free\n",
    f"{INFO}/RECORD": b"",
}
NOT_DIGESTED = {
    f"{INFO}/RECORD": b"another",
    f"{INFO}/INSTALLER": b"uv",
    f"{INFO}/REQUESTED": b"",
    f"{INFO}/direct_url.json": b"{}",
    f"{INFO}/uv_cache.json": b"{}",
    f"{INFO}/uv_build.json": b"{}",
    f"{INFO}/extra_metadata/record-production.dsse.json": b"{}",
    f"{INFO}/extra_metadata/more/x": b"{}",
}
DIGESTED = {
    "orders/tools.py": b"x = 2\n",
    "orders/more.py": b"",
    "other.py": b"",
    "other.pth": b"import other",
    f"{INFO}/METADATA": b"Name: orders\nRequires-Dist: more\n",
    f"{INFO}/entry_points.txt": b"",
    f"{INFO}/licenses/RECORD": b"",
    f"{INFO}/licenses/INSTALLER": b"",
    f"{INFO}/INSTALLER/x": b"",
    "orders/RECORD": b"",
    "orders/extra_metadata/x": b"",
    "extra_metadata/x": b"",
}


def wheel_of(directory: Path, files: dict[str, bytes]) -> Path:
    path = directory / "orders-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("orders")
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_the_digest_is_over_sorted_lines_that_other_tools_can_make(tmp_path: Path) -> None:
    lines = sorted(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        for name, content in FILES.items()
        if not name.endswith("/RECORD")
    )
    expected = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert wheel_content_digest(wheel_of(tmp_path, FILES)) == expected
    assert wheel_content_digest(wheel_of(tmp_path, dict(reversed(FILES.items())))) == expected


@pytest.mark.parametrize("name", NOT_DIGESTED)
def test_what_says_nothing_of_the_code_changes_nothing(name: str, tmp_path: Path) -> None:
    before = wheel_content_digest(wheel_of(tmp_path, FILES))
    assert wheel_content_digest(wheel_of(tmp_path, {**FILES, name: NOT_DIGESTED[name]})) == before


@pytest.mark.parametrize("name", DIGESTED)
def test_everything_else_changes_the_digest(name: str, tmp_path: Path) -> None:
    before = wheel_content_digest(wheel_of(tmp_path, FILES))
    assert wheel_content_digest(wheel_of(tmp_path, {**FILES, name: DIGESTED[name]})) != before


def test_content_moved_between_files_changes_the_digest() -> None:
    assert files_digest({"a": b"1", "b": b"2"}) != files_digest({"a": b"2", "b": b"1"})
    assert files_digest({"a": b"1", "b": b"2"}) == files_digest({"b": b"2", "a": b"1"})
    assert files_digest({}) != files_digest({"": b""})


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../orders/tools.py",
        "orders/../evil.py",
        "orders//evil.py",
        "./orders.py",
        "orders\\evil.py",
        "orders/a\nb.py",
        "orders-1.data/scripts/orders",
        "orders-1.data/purelib/orders.py",
        "orders/__pycache__/tools.cpython-311.pyc",
        "orders/evil.pyc",
    ],
)
def test_a_wheel_that_would_not_be_installed_as_it_is_has_no_digest(name: str, tmp_path: Path) -> None:
    assert wheel_content_digest(wheel_of(tmp_path, FILES))
    with pytest.raises(ProblemError) as caught:
        wheel_content_digest(wheel_of(tmp_path, {**FILES, name: b""}))
    assert caught.value.problems[0].reason == "wheel-not-digestible"


def test_a_path_that_stands_twice_has_no_digest(tmp_path: Path) -> None:
    path = wheel_of(tmp_path, FILES)
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("orders/tools.py", b"import os\n")
    with pytest.raises(ProblemError) as caught:
        wheel_content_digest(path)
    assert "twice" in caught.value.problems[0].what


def test_what_is_no_wheel_has_no_digest(tmp_path: Path) -> None:
    path = wheel_of(tmp_path, FILES)
    content = path.read_bytes()
    for broken in (b"", b"PK", content[:-30], content.replace(b"x = 1\n", b"x = 2\n")):
        path.write_bytes(broken)
        for ask in (wheel_content_digest, wheel_records):
            if ask is wheel_records and len(broken) == len(content):
                continue
            with pytest.raises(ProblemError) as caught:
                ask(path)
            assert caught.value.problems[0].reason == "wheel-not-digestible"
    with pytest.raises(ProblemError):
        wheel_content_digest(tmp_path / "none.whl")


def _refused(path: Path) -> str:
    """Both readers of wheels refuse it, in the same words."""
    said = set()
    for ask in (wheel_content_digest, wheel_records):
        with pytest.raises(ProblemError) as caught:
            ask(path)
        assert caught.value.problems[0].reason == "wheel-not-digestible"
        said.add(caught.value.problems[0].what)
    [what] = said
    return what


def test_a_wheel_whose_packed_bytes_are_broken_is_refused_and_ends_nothing_else(tmp_path: Path) -> None:
    record = f"{INFO}/extra_metadata/a.dsse.json"
    path = tmp_path / "orders-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(record, bytes(range(256)) * 40)
    assert wheel_records(path)
    content = path.read_bytes()
    start = 30 + len(record)
    path.write_bytes(content[:start] + b"\xff" * 40 + content[start + 40 :])
    with pytest.raises(ProblemError) as caught:
        wheel_records(path)
    assert caught.value.problems[0].reason == "wheel-not-digestible"


@pytest.mark.parametrize("files", [1, 40])
def test_what_unpacks_to_more_than_any_wheel_is_not_unpacked(tmp_path: Path, files: int) -> None:
    path = tmp_path / "orders-1-py3-none-any.whl"
    size = WHEEL_LIMIT // files + 1
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(files):
            archive.writestr(f"orders/zeros-{number}", b"x")
    patched = _declare(path.read_bytes(), size)
    path.write_bytes(patched)
    assert path.stat().st_size < 10_000
    assert _refused(path) == f"unpacks to more than {WHEEL_LIMIT} bytes"


def test_a_wheel_that_says_less_than_is_in_it_is_no_wheel(tmp_path: Path) -> None:
    path = tmp_path / "orders-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("orders/zeros", bytes(4_000_000))
    assert wheel_content_digest(path)
    path.write_bytes(_declare(path.read_bytes(), 1000))
    with pytest.raises(ProblemError) as caught:
        wheel_content_digest(path)
    assert caught.value.problems[0].what == "cannot be read as a wheel"


def _declare(archive: bytes, size: int) -> bytes:
    """The same archive, whose list says another size of each of its files."""
    there, parts = archive.split(b"PK\x01\x02", 1)
    listed = (b"PK\x01\x02" + parts).split(b"PK\x01\x02")[1:]
    changed = [each[:20] + size.to_bytes(4, "little") + each[24:] for each in listed]
    return there + b"".join(b"PK\x01\x02" + each for each in changed)


def test_a_wheel_of_more_files_than_any_is_refused(tmp_path: Path) -> None:
    assert _refused(wheel_of(tmp_path, {f"orders/{n}": b"" for n in range(20_001)})) == (
        "holds more than 20000 files"
    )


def test_a_file_of_more_bytes_than_any_wheel_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "orders-1-py3-none-any.whl"
    with path.open("wb") as sparse:
        sparse.truncate(WHEEL_LIMIT + 1)
    assert _refused(path) == f"has more than {WHEEL_LIMIT} bytes"


def test_a_wheel_that_is_packed_as_no_wheel_is_has_no_digest(tmp_path: Path) -> None:
    path = tmp_path / "orders-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("orders/__init__.py", b"")
    assert _refused(path) == "is packed in another way than wheels are"


def test_an_installation_without_a_list_has_no_files(tmp_path: Path) -> None:
    (tmp_path / INFO).mkdir()
    assert installed_content_digest(tmp_path / INFO) == files_digest({})
    (tmp_path / INFO / "RECORD").write_bytes(b"x" * (32 * 1024 * 1024 + 1))
    with pytest.raises(ProblemError) as caught:
        installed_content_digest(tmp_path / INFO)
    assert caught.value.problems[0].reason == "installation-changed"


def test_records_are_found_in_wheels_installations_and_directories(tmp_path: Path) -> None:
    name = record_name(Environment.PRODUCTION)
    assert name == "record-production.dsse.json"
    wheel = wheel_of(
        tmp_path, {**FILES, f"{INFO}/extra_metadata/{name}": b"1", f"orders/extra_metadata/{name}": b"2"}
    )
    assert [(each.where, each.envelope) for each in wheel_records(wheel)] == [
        (f"{wheel.name}:{INFO}/extra_metadata/{name}", b"1")
    ]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    (tmp_path / INFO / "extra_metadata/unpromoted.json").write_bytes(b"{}")
    assert [each.envelope for each in installed_records(tmp_path / INFO)] == [b"1"]
    assert records_in(tmp_path / "none") == ()
    root = tmp_path / "project"
    assert built_record(root, Environment.PRODUCTION) == ()
    (root / "dist/promotion").mkdir(parents=True)
    (root / "dist/promotion" / name).write_bytes(b"3")
    [found] = built_record(root, Environment.PRODUCTION)
    assert (found.where, found.envelope) == (f"dist/promotion/{name}", b"3")
    assert built_record(root, Environment.STAGING) == ()


def test_records_have_limits(tmp_path: Path) -> None:
    directory = tmp_path / "records"
    directory.mkdir()
    (directory / "a.dsse.json").write_bytes(b"x" * (ENVELOPE_LIMIT * 2))
    assert [len(each.envelope) for each in records_in(directory)] == [ENVELOPE_LIMIT + 1]
    big = wheel_of(tmp_path, {f"{INFO}/extra_metadata/a.dsse.json": b"x" * (ENVELOPE_LIMIT + 1)})
    with pytest.raises(ProblemError):
        wheel_records(big)
    for number in range(64):
        (directory / f"{number}.dsse.json").write_bytes(b"")
    with pytest.raises(ProblemError) as caught:
        records_in(directory)
    assert caught.value.problems[0].reason == "too-many-records"
    (tmp_path / "unreadable/a.dsse.json").mkdir(parents=True)
    with pytest.raises(ProblemError) as caught:
        records_in(tmp_path / "unreadable")
    assert caught.value.problems[0].reason == "record-unreadable"
