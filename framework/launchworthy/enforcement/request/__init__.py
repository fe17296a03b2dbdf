"""Does this request go through, as far as its own bytes can tell? The pure core: no I/O, no clock, no SDK."""

from launchworthy.enforcement.request.completion import Wanted, read_completion
from launchworthy.enforcement.request.head import (
    Endpoint,
    Head,
    PageRoute,
    Place,
    RoutingHeaders,
    endpoint_of,
    read_head,
)
from launchworthy.enforcement.request.message import Message, RequestId, read_message
from launchworthy.enforcement.request.methods import NOTIFICATIONS, REQUESTS, Row, row_of, rows_of
from launchworthy.enforcement.request.refusals import (
    ClientCannotAsk,
    HeaderSectionTooLarge,
    MethodNotAllowed,
    UnknownResource,
    UnsupportedRevision,
)
from launchworthy.enforcement.request.resource_uri import UriTemplate, spell
from launchworthy.enforcement.request.revision import NAMED_BY, Revision, Settled, decode_header_value, settle
from launchworthy.enforcement.request.subscription import Listened, read_listen
from launchworthy.enforcement.request.targets import Asked, Targets, unknown

__all__ = [
    "NAMED_BY",
    "NOTIFICATIONS",
    "REQUESTS",
    "Asked",
    "ClientCannotAsk",
    "Endpoint",
    "Head",
    "HeaderSectionTooLarge",
    "Listened",
    "Message",
    "MethodNotAllowed",
    "PageRoute",
    "Place",
    "RequestId",
    "Revision",
    "RoutingHeaders",
    "Row",
    "Settled",
    "Targets",
    "UnknownResource",
    "UnsupportedRevision",
    "UriTemplate",
    "Wanted",
    "decode_header_value",
    "endpoint_of",
    "read_completion",
    "read_head",
    "read_listen",
    "read_message",
    "row_of",
    "rows_of",
    "settle",
    "spell",
    "unknown",
]
