"""What holds for every text: the detector never fails, never shows, and points at what it found."""

from hypothesis import given
from hypothesis import strategies as st

from launchworthy.detection import find_secrets, is_secret_value, is_sensitive_name

PATHS = st.sampled_from(["x.env", "x.py", "x.md", "x.sh", "x.yaml", "x.json", "x.toml", ".pgpass", "x"])
PIECES = st.sampled_from(
    [
        "password",
        "token",
        "=",
        ": ",
        '"',
        "'",
        "`",
        "\\",
        "\n",
        "{",
        "}",
        "[",
        "]",
        "<",
        ">",
        ",",
        "://",
        "@",
        " ",
        "--",
        "Bearer ",
        "eyJ",
        "-----BEGIN PRIVATE KEY-----",
        "kind: Secret\n",
        "data:\n",
        "  ",
        "value",
        "name",
        "|",
        "is ",
        "${",
        ":-",
        "ENV ",
        "hunter2",
        "a1B2c3D4e5F6g7H8i9J0k1L2",
        "İ",
        "\ud800",
        "🔑",
        "variable",
        "default",
        "sig=",
        "?",
    ]
)
TEXTS = st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=60).map("".join))


@given(text=TEXTS, path=PATHS)
def test_any_text_is_read_and_each_finding_points_into_it(text: str, path: str) -> None:
    lines = text.split("\n")
    for finding in find_secrets(text, path=path):
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1
        assert "fingerprint_input" not in repr(finding)


@given(text=TEXTS, path=PATHS)
def test_the_same_text_has_the_same_findings(text: str, path: str) -> None:
    assert find_secrets(text, path=path) == find_secrets(text, path=path)


@given(name=st.text(max_size=60), value=TEXTS)
def test_any_name_and_value_can_be_judged(name: str, value: str) -> None:
    assert is_sensitive_name(name) in (True, False)
    kind = is_secret_value(name, value)
    assert kind is None or kind.isascii()


@given(prefix=TEXTS, path=PATHS)
def test_what_stands_before_hides_no_provider_token(prefix: str, path: str) -> None:
    token = "gh" + "p_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq17"
    before = len(find_secrets(prefix, path=path))
    assert len(find_secrets(f"{prefix}\n\n{token}\n", path=path)) >= max(1, before)
