"""Where is a signature made public in the simulated world? A Rekor: a Merkle tree that signs what it holds.

It keeps no more of an entry than the public one does: digests, the signature and the certificate. For each it
gives the proof that the tree which it signs holds it (RFC 6962 §2.1.1); and in its first version the time and
a promise over it, where the second leaves that to time-stamp authorities.
"""

import base64
import hashlib
import json
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from launchworthy.testing.fulcio import public_der

ORIGIN: Final = "rekor.dev.invalid - 1"


class SimulatedRekor:
    """A transparency log."""

    def __init__(self) -> None:
        """Begin empty."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaves: list[bytes] = []

    @property
    def public_key(self) -> bytes:
        """DER, as a trusted root has it."""
        return public_der(self._key.public_key())

    @property
    def size(self) -> int:
        """How many entries it holds."""
        return len(self._leaves)

    def add(self, entry: dict[str, Any], *, at: int | None) -> dict[str, Any]:
        """Log an entry; returns it as a bundle has it.

        Args:
            entry: of the first or second version (`dsse_entry`, `hashed_entry`).
            at: seconds since the epoch; None for the second version, which tells no time.
        """
        body = _canonical(entry)
        self._leaves.append(hashlib.sha256(b"\x00" + body).digest())
        index, size = len(self._leaves) - 1, len(self._leaves)
        log_id = hashlib.sha256(self.public_key).digest()
        root = _root(self._leaves)
        return {
            "logIndex": str(index),
            "logId": {"keyId": _base64(log_id)},
            "kindVersion": {"kind": entry["kind"], "version": entry["apiVersion"]},
            **({} if at is None else self._promise(body, log_id, index, at)),
            "inclusionProof": {
                "logIndex": str(index),
                "rootHash": _base64(root),
                "treeSize": str(size),
                "hashes": [_base64(each) for each in _path(index, self._leaves)],
                "checkpoint": {"envelope": self._checkpoint(size, root, log_id)},
            },
            "canonicalizedBody": _base64(body),
        }

    def _promise(self, body: bytes, log_id: bytes, index: int, at: int) -> dict[str, Any]:
        promised = {
            "body": _base64(body),
            "integratedTime": at,
            "logID": log_id.hex(),
            "logIndex": index,
        }
        return {
            "integratedTime": str(at),
            "inclusionPromise": {"signedEntryTimestamp": _base64(self._sign(_canonical(promised)))},
        }

    def _checkpoint(self, size: int, root: bytes, log_id: bytes) -> str:
        note = f"{ORIGIN}\n{size}\n{_base64(root)}\n"
        return f"{note}\n— {ORIGIN.split()[0]} {_base64(log_id[:4] + self._sign(note.encode()))}\n"

    def _sign(self, content: bytes) -> bytes:
        return self._key.sign(content, ec.ECDSA(hashes.SHA256()))


def answer_of(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as the log's own interface spells it (version 1)."""
    proof = entry["inclusionProof"]
    return {
        hashlib.sha256(entry["canonicalizedBody"].encode()).hexdigest(): {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logID": _hex(entry["logId"]["keyId"]),
            "logIndex": int(entry["logIndex"]),
            "verification": {
                "inclusionProof": {
                    "checkpoint": proof["checkpoint"]["envelope"],
                    "hashes": [_hex(each) for each in proof["hashes"]],
                    "logIndex": int(proof["logIndex"]),
                    "rootHash": _hex(proof["rootHash"]),
                    "treeSize": int(proof["treeSize"]),
                },
                "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            },
        }
    }


def hashed_entry(digest: str, signature: dict[str, Any]) -> dict[str, Any]:
    """An entry of the second version.

    Args:
        digest: of what was signed, in base64.
        signature: with `content` and `verifier`, as a request has it.
    """
    data = {"algorithm": "SHA2_256", "digest": digest}
    return {
        "apiVersion": "0.0.2",
        "kind": "hashedrekord",
        "spec": {"hashedRekordV002": {"data": data, "signature": signature}},
    }


def dsse_entry(envelope: dict[str, Any], certificate: x509.Certificate) -> dict[str, Any]:
    """An entry of the first version.

    Args:
        envelope: with `payload` and `signatures`, as its JSON has them.
        certificate: of the signer.
    """
    verifier = _base64(certificate.public_bytes(Encoding.PEM))
    payload = base64.b64decode(envelope["payload"])
    return {
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": _sha256(_canonical(envelope)),
            "payloadHash": _sha256(payload),
            "signatures": [
                {"signature": each["sig"], "verifier": verifier} for each in envelope["signatures"]
            ],
        },
    }


def _sha256(content: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(content).hexdigest()}


def _split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def _root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    at = _split(len(leaves))
    return hashlib.sha256(b"\x01" + _root(leaves[:at]) + _root(leaves[at:])).digest()


def _path(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    at = _split(len(leaves))
    if index < at:
        return [*_path(index, leaves[:at]), _root(leaves[at:])]
    return [*_path(index - at, leaves[at:]), _root(leaves[:at])]


def _canonical(members: dict[str, Any]) -> bytes:
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode("ascii")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _hex(text: str) -> str:
    return base64.b64decode(text).hex()
