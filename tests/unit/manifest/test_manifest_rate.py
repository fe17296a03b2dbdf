"""A rate is an amount in a stretch of time, and nothing else."""

import pytest

from launchworthy.manifest import Rate, parse_rate


@pytest.mark.parametrize(
    ("text", "seconds"), [("1/second", 1), ("10/minute", 60), ("5/hour", 3600), ("10000/day", 86400)]
)
def test_a_rate_is_read_and_written_alike(text: str, seconds: int) -> None:
    rate = parse_rate(text)
    assert (str(rate), rate.seconds) == (text, seconds)


@pytest.mark.parametrize(
    "text",
    ["", "0/minute", "10", "10/min", "-1/minute", "1.5/minute", "1000001/minute", "10/ minute", "١/minute"],
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a rate is"):
        parse_rate(text)


def test_a_rate_that_allows_nothing_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="a rate is"):
        Rate(amount=0, per="minute")
