"""The SPIFFE and gRPC libraries, imported late and quietly; nothing else in the framework imports them.

They cost 350 ms and 42 MiB, so a server with a token file must never load this module: it is imported inside
functions. And gRPC's C core reads `GRPC_VERBOSITY` once, when it is first imported: without it, it writes
lines of its own on stderr, among the JSON of the operations log. An operator's own value stands.
"""

import os

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # noqa: TID251 - the one way to tell the C core, and only from here

import grpc
import grpc.aio
from spiffe import SpiffeId, WorkloadApiClient
from spiffe._proto import workload_pb2  # the wire format, for the simulated agent
from spiffe.errors import PySpiffeError
from spiffe.workloadapi.x509_context import X509Context

__all__ = ["PySpiffeError", "SpiffeId", "WorkloadApiClient", "X509Context", "grpc", "workload_pb2"]
