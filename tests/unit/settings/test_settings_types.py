"""What each closed type takes and refuses."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError, create_model

from launchworthy.settings import (
    AbsolutePath,
    Address,
    AppSettings,
    DataFile,
    Duration,
    Hostname,
    Identifier,
    Origin,
    Url,
)


def read(kind: Any, text: str) -> Any:
    return TypeAdapter(kind).validate_json(f'"{text}"')


@pytest.mark.parametrize(
    "text",
    [
        "https://orders.acme.example/mcp",
        "https://orders.acme.example",
        "https://orders.acme.example:8443/a/b-c_d~e",
        "http://127.0.0.1:8443/mcp",
        "http://localhost:8443",
        "http://[::1]:8443/mcp",
        "https://xn--bcher-kva.example/",
        "https://10.0.0.5:8443/mcp",
        "http://app.localhost:8443",
    ],
)
def test_a_url_is_kept_byte_for_byte(text: str) -> None:
    assert read(Url, text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "orders.acme.example",
        "http://orders.acme.example/mcp",
        "https://user@orders.acme.example",
        "https://user:" + "word@orders.acme.example",
        "https://:" + "word@orders.acme.example",
        "https://@orders.acme.example",
        "https://orders.acme.example/?a=b",
        "https://orders.acme.example/?",
        "https://orders.acme.example/#a",
        "https://orders.acme.example/#",
        "https://Orders.acme.example/",
        "https://",
        "https:///mcp",
        "https:orders.acme.example",
        "https://orders_acme.example/",
        "https://-orders.acme.example/",
        "https://orders.acme.example:0/",
        "https://orders.acme.example:99999/",
        "https://orders.acme.example:x/",
        "https://orders.acme.example\\\\@evil.example/",
        "https://bücher.example/",
        "https://orders.acme.example/ä",
        "https://orders.acme.example/a b",
        "ftp://orders.acme.example/",
        "javascript://orders.acme.example/",
        "HTTPS://orders.acme.example/",
        " https://orders.acme.example/",
        "https://orders.acme\\n.example/",
        "https://orders.acme.example/m\\tcp",
        "https://127.1/mcp",
        "https://2130706433/mcp",
        "https://0x7f.1/mcp",
        "https://010.0.0.5/mcp",
        "https://orders.1/mcp",
        "https://[v1.a]/mcp",
        "https://[2001:db8::1]/mcp",
        "http://[::1%25words]/mcp",
        "https://orders.acme.example:/mcp",
        "https://orders.acme.example:0443/mcp",
        "https://orders.acme.example:\u0664/mcp",
        "https://orders.acme.example/" + "x" * 2048,
    ],
)
def test_a_url_with_anything_else_in_it_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        read(Url, text)


def test_an_origin_has_no_path() -> None:
    assert read(Origin, "https://app.acme.example") == "https://app.acme.example"
    for text in ("https://app.acme.example/", "https://app.acme.example/x", "null", "*"):
        with pytest.raises(ValidationError):
            read(Origin, text)


@pytest.mark.parametrize("text", ["a", "acme.example", "a-b.c-d", "x1." * 20 + "example"])
def test_a_host_name(text: str) -> None:
    assert read(Hostname, text) == text


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "A.example", "a..b", "a_b", "-a", "a-", "a b", "a/b", "a:1", "x" * 64]
)
def test_no_host_name(text: str) -> None:
    with pytest.raises(ValidationError):
        read(Hostname, text)


@pytest.mark.parametrize("text", ["eu-west-1", "a", "a1.b2_c3", "x" * 64])
def test_an_identifier(text: str) -> None:
    assert read(Identifier, text) == text


@pytest.mark.parametrize(
    "text", ["", "1a", "A", "a b", "a--b", "a-", "-a", "x" * 65, "a\\n", "ä", "a/b", "a@b"]
)
def test_no_identifier(text: str) -> None:
    with pytest.raises(ValidationError):
        read(Identifier, text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("10s", 10.0), ("2m", 120.0), ("1h", 3600.0), ("1d", 86400.0)]
)
def test_a_duration(text: str, seconds: float) -> None:
    assert read(Duration, text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "10", "-1s", "1w", "1 h", "1.5h", "999999d", "١s", "1s "])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValidationError):
        read(Duration, text)


@pytest.mark.parametrize(
    ("text", "pair"),
    [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:65535", ("::1", 65535)), ("10.1.2.3:1", ("10.1.2.3", 1))],
)
def test_an_address(text: str, pair: tuple[str, int]) -> None:
    assert read(Address, text) == pair


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1",
        ":80",
        "localhost:80",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:http",
        "orders.example:80",
        "127.0.0.1:٣",
        "[::1%words]:80",
    ],
)
def test_no_address(text: str) -> None:
    with pytest.raises(ValidationError):
        read(Address, text)


@pytest.mark.parametrize(
    "text",
    [
        "/",
        "/var/log/x",
        "/a/b.c-d_e",
        "/home/ann/My Projects/x",
        "/home/jürgen/Büro+1/x@y~",
        "/home/u\u0308ber",
        "/данные/数据/व्यापार",
        "/" + "ab/" * 170 + "x",
    ],
)
def test_an_absolute_path(text: str) -> None:
    assert read(AbsolutePath, text) == Path(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "var/log",
        "./x",
        "/a/../b",
        "~/x",
        "/a\\u0000b",
        "/any words at all, with a password: 77",
        "/" + "x" * 5000,
        "/" + "ab/" * 170 + "xy",
        "/" + "ü" * 128,
        "/a\\nb",
        "/a\\u0085b",
        "/a\u00a0b",
        "/a\u200bb",
        "/a\u202eb",
        "/a\u2028b",
        "/a\\ud800b",
        "/a'b",
        "/a:b",
        "/a,b",
        "/a=b",
        "/a%2fb",
        "/a²b",
    ],
)
def test_no_absolute_path(text: str) -> None:
    with pytest.raises(ValidationError):
        read(AbsolutePath, text)


class Shop(AppSettings):
    database: DataFile


def in_directory(text: str) -> Path:
    made = Shop.model_validate_json(
        f'{{"database": "{text}"}}', context={"data_directory": Path("/var/lib/orders")}
    )
    return made.database


@pytest.mark.parametrize(
    ("text", "path"), [("orders.sqlite", "/var/lib/orders/orders.sqlite"), ("a/b", "/var/lib/orders/a/b")]
)
def test_a_data_file_lies_below_the_data_directory(text: str, path: str) -> None:
    assert in_directory(text) == Path(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a\\u0000b",
        "any words at all, with a password: 77",
        "x" * 5000,
    ],
)
def test_a_data_file_leaves_no_data_directory(text: str) -> None:
    with pytest.raises(ValidationError):
        in_directory(text)


@pytest.mark.parametrize(
    ("kind", "json"), [(bool, "1"), (bool, '"true"'), (Identifier, "1"), (Url, "null"), (Duration, "true")]
)
def test_nothing_is_coerced(kind: Any, json: str) -> None:
    made = create_model("Made", __base__=AppSettings, thing=(kind, ...))
    with pytest.raises(ValidationError):
        made.model_validate_json(f'{{"thing": {json}}}')
