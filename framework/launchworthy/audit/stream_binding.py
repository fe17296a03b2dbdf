"""What has an identity to sign of a stream, and what is written of its answer?"""

from launchworthy.audit.binding import Proof, binding_payload
from launchworthy.audit.events import StreamBound
from launchworthy.audit.stream_key import StreamKey


def payload_of(key: StreamKey, size: int, root: str) -> bytes:
    """The payload for a key, and the stream as it was then."""
    return binding_payload(key.stream, str(key.verifier), size, root)


def bound_record(proof: Proof, size: int, root: str) -> StreamBound:
    """The record of a proof."""
    return StreamBound(
        kind=proof.kind,
        size=size,
        root=root,
        algorithm=proof.algorithm,
        signature=proof.signature,
        chain=proof.chain,
        bundle=proof.bundle,
        token=proof.token,
    )
