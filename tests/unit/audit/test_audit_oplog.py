"""The operations log: one safe line whatever is logged, from whomever, and no way from it into the audit."""

import io
import json
import logging

import pytest
import structlog
from audit_world import Authority, Clock, attempt, bound_stream

from launchworthy.audit.oplog import configure
from launchworthy.vocabulary import Secret

JWT = "eyJ" + "hbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLWJ5dGVz"


@pytest.fixture(autouse=True)
def as_before():
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    structlog.reset_defaults()


@pytest.fixture
def output():
    return io.StringIO()


@pytest.fixture
def log(output):
    return configure(output, readable=False, clock=Clock())


def lines(output):
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_line_is_json_with_time_level_and_event_first(log, output):
    log.logger(component="server").info(
        "ready", resource="https://orders.acme.example/mcp", n=3, yes=True, half=0.5
    )
    [text] = output.getvalue().splitlines()
    assert list(json.loads(text)) == ["time", "level", "event", "component", "resource", "n", "yes", "half"]
    assert text.startswith('{"time": "2026-11-20T02:00:00.001000Z", "level": "info", "event": "ready"')


def test_what_is_below_the_level_is_not_written(log, output):
    log.logger().debug("no")
    logging.getLogger("x").debug("no")
    structlog.get_logger().debug("no")
    assert output.getvalue() == ""


def test_everybodys_log_goes_the_same_way(log, output):
    log.logger().warning("ours")
    structlog.get_logger("team").warning("the team's")
    logging.getLogger("mcp.server").warning("the %s's", "SDK")
    assert [(line["event"], line["level"]) for line in lines(output)] == [
        ("ours", "warning"),
        ("the team's", "warning"),
        ("the SDK's", "warning"),
    ]


@pytest.mark.parametrize("readable", [False, True])
def test_nobody_can_make_a_second_line_or_colour_the_terminal(output, readable):
    log = configure(output, readable=readable, clock=Clock())
    bad = "a\nb\r\x1b[31m\u202e\u2028\x85\ud800\U000e0041"
    log.logger(**{"key\n": bad}).info(bad, value=bad, nested={"k\n": [bad]})
    logging.getLogger("x\n").error("%s %s", bad, [bad])
    logging.getLogger("x").error(bad)
    text = output.getvalue()
    assert len(text.splitlines()) == 3
    assert all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize("readable", [False, True])
def test_a_token_is_scrubbed_wherever_it_stands_and_counted(output, readable):
    log = configure(output, readable=readable, clock=Clock())
    log.logger().info(
        f"got {JWT}", header=f"Bearer {JWT}", nested={"a": [JWT]}, long="x" * 200 + f" Bearer {JWT}"
    )
    logging.getLogger("x").error("token %s", JWT)
    structlog.get_logger().info(JWT)
    assert "c2lnbmF0" not in output.getvalue()
    assert "eyJzdWIi" not in output.getvalue()
    assert log.scrubber.hits.total() == 6


@pytest.mark.parametrize("readable", [False, True])
def test_an_exception_shows_where_it_passed_and_no_local_variable_and_its_text_in_development_only(
    output, readable
):
    log = configure(output, readable=readable, clock=Clock())

    def fail():
        hidden = "hunter2-in-a-local"
        raise ValueError(f"cannot read {JWT}", len(hidden))

    try:
        try:
            fail()
        except ValueError as error:
            raise RuntimeError("outer") from error
    except RuntimeError:
        log.logger().exception("failed")
        logging.getLogger("x").exception("failed too")
    assert "hunter2" not in output.getvalue()
    assert "c2lnbmF0" not in output.getvalue()
    if readable:
        assert output.getvalue().count('"message": "outer"') == 2
        assert output.getvalue().count('"message": "cannot read [scrubbed:jwt]; 18"') == 2
        return
    for line in lines(output):
        outer, inner = line["exception"]
        assert outer["type"] == "RuntimeError"
        assert inner["where"][-1].startswith("test_audit_oplog.py:")
        assert "message" not in outer
        assert "message" not in inner


def test_what_the_system_refused_is_said_in_its_own_words(log, output):
    try:
        open("/no/such/hunter2-file")  # noqa: PTH123, SIM115 - it is not there
    except OSError as error:
        log.logger().exception("failed", error=error)
    assert "hunter2" not in output.getvalue()
    [line] = lines(output)
    assert line["exception"][0]["message"] == "No such file or directory"
    assert line["error"] == "FileNotFoundError: No such file or directory"


def test_no_objects_own_idea_of_a_text_is_asked_for(log, output):
    class Telltale:
        def __repr__(self):
            return "hunter2"

        __str__ = __repr__

    class TelltaleError(Exception):
        def __str__(self):
            return "hunter2"

    secret = Secret("hunter2-hunter2")
    log.logger().info(
        "values", a=Telltale(), b=secret, c=[Telltale()], d=b"hunter2", e={Telltale(): 1}, f=TelltaleError()
    )
    logging.getLogger("x").error("value %s %r", Telltale(), secret)
    logging.getLogger("x").error(Telltale())
    log.logger().error("failed", exc_info=TelltaleError(Telltale(), "told"))
    assert "hunter2" not in output.getvalue()
    first, second, third, fourth = lines(output)
    assert (first["b"], first["d"]) == ("<Secret>", "<bytes>")
    assert second["event"].startswith("value <")
    assert third["event"].startswith("<")
    assert fourth["exception"][0]["type"].endswith("TelltaleError")


@pytest.mark.usefixtures("log")
def test_arguments_that_do_not_fit_their_message_stop_nothing(output):
    logging.getLogger("x").error("%s %s", "one")  # noqa: PLE1206 - that is the point
    logging.getLogger("x").error("%d", "no number")
    logging.getLogger("x").error("%(a)s", {"b": 1})
    logging.getLogger("x").error("%(a)s and %(b)d", {"a": "yes", "b": 2})
    assert [line["event"] for line in lines(output)] == [
        "%s %s (its arguments do not fit)",
        "%d (its arguments do not fit)",
        "%(a)s (its arguments do not fit)",
        "yes and 2",
    ]


def test_numbers_that_json_cannot_hold_are_text(log, output):
    log.logger().info("numbers", big=2**80, infinite=float("inf"), none=None)
    [line] = lines(output)
    assert (line["big"], line["infinite"], line["none"]) == ("0x100000000000000000000", "inf", None)


def test_a_log_that_cannot_be_written_stops_nothing_and_is_counted(log, output):
    output.close()
    log.logger().info("into the void")
    logging.getLogger("x").error("into the void")
    assert log.lost == 2


def test_a_library_that_configures_structlog_cannot_silence_our_loggers(log, output):
    ours = log.logger()

    def drop(*_):
        raise structlog.DropEvent

    structlog.configure(processors=[drop], wrapper_class=structlog.make_filtering_bound_logger(50))
    ours.info("still here")
    log.logger().info("and here")
    assert [line["event"] for line in lines(output)] == ["still here", "and here"]


def test_a12_nothing_of_logging_reaches_the_audit(tmp_path):
    def drop(*_):
        raise structlog.DropEvent

    structlog.configure(processors=[drop])
    logging.disable(logging.CRITICAL)
    try:
        stream = bound_stream(tmp_path / "audit", Authority().issue())
        stream.record(attempt("SEEN"))
        stream.close()
    finally:
        logging.disable(logging.NOTSET)
    assert b"SEEN" in stream.path.read_bytes()


def test_the_audit_itself_loads_no_logging_library():
    import subprocess
    import sys

    code = (
        "import sys, launchworthy.audit.stream, launchworthy.audit.verification, launchworthy.audit.story;"
        "print([name for name in ('structlog', 'rich', 'mcp', 'grpc', 'starlette') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_readable_line_is_for_people(output):
    log = configure(output, readable=True, clock=Clock())
    log.logger().info("ready", resource="https://orders.acme.example/mcp", n=3)
    assert output.getvalue() == "02:00:00.001 info     ready  resource=https://orders.acme.example/mcp  n=3\n"
