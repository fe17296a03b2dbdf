"""Every case there is, family by family; one file a family, one row a case."""

from launchworthy.probe.cases.audience import AUDIENCE
from launchworthy.probe.cases.calls import ARGUMENTS, SCOPES
from launchworthy.probe.cases.credentials import CREDENTIALS
from launchworthy.probe.cases.dates import DATES, IN_TIME
from launchworthy.probe.cases.http import HTTP
from launchworthy.probe.cases.protocol import PROTOCOL
from launchworthy.probe.cases.purpose import PURPOSE
from launchworthy.probe.cases.signature import ISSUER, ONLY_EC, SIGNATURE

CASES = (
    *CREDENTIALS,
    *ISSUER,
    *SIGNATURE,
    *ONLY_EC,
    *AUDIENCE,
    *DATES,
    *IN_TIME,
    *PURPOSE,
    *HTTP,
    *PROTOCOL,
    *SCOPES,
    *ARGUMENTS,
)
"""In the order in which they are sent."""

__all__ = ["CASES"]
