"""Is a stream what its key has signed? Its lines go in, facts come out, or the first record that is wrong.

The rules, in order, for line n:
1. it is canonical JSON with exactly the attributes of a record, `seq` = n, of this stream and this source
2. `prev` is the SHA-256 of line n - 1 (of the format and the stream's id for n = 0)
3. line 0 is `stream.open`; the stream's id is the digest of the key that it names
4. a checkpoint's note is signed by that key, its size is n, its root is that of lines 0 … n - 1, and it
   covers no more new lines than a verifier accepts
5. `stream.bound` comes once, before anything was served, and says what `audit.binding` demands
6. after `stream.close` comes one checkpoint of the same time that says nothing else, and then nothing
What the key has signed, and is in its place, is what was written; what no checkpoint covers may not be.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from launchworthy.audit.binding import (
    BOUND_WITHIN,
    BindingError,
    BindingProof,
    binding_payload,
    check_binding,
)
from launchworthy.audit.canonical import canonical
from launchworthy.audit.checkpoint import CheckpointError, VerifierKey, open_checkpoint, signatures_of
from launchworthy.audit.merkle import MerkleTree
from launchworthy.audit.reading import TYPE_PREFIX, TYPE_SUFFIX, LineError, UsualLine, parse_envelope
from launchworthy.audit.stream_key import FORMAT, first_prev, origin_of, root_text, stream_id
from launchworthy.audit.verdict import Damage

Data = dict[str, Any]


class TamperedError(Exception):
    """A stream is not what was written."""

    def __init__(self, what: str, record: int | None, until: int | None = None) -> None:
        """Name the record."""
        super().__init__(what)
        self.damage = Damage(record=record, until=until, what=what)


class BrokenChainError(TamperedError):
    """`prev` of a record does not fit the one before: one of the two was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The binding of a stream, checked in itself; whether its issuer is believed is not decided here."""

    proof: BindingProof
    payload: bytes
    source: str
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a stream says of the one before it."""

    stream: str
    opened: str
    size: int
    root: str


@dataclass(slots=True, kw_only=True)
class Facts:
    """What was read of a stream so far.

    Attributes:
        roots: the root after as many records, for each size that was asked for.
        covered: records that the last checkpoint covers.
        closed: the seq of `stream.close`.
        attempts: those without an outcome: seq, time and target by call.
        outcomes: calls whose attempt was not here.
        deleted: streams that it says were deleted after their time.
        sealed: whether the checkpoint over the end was read.
    """

    key: VerifierKey | None = None
    stream: str = ""
    previous: Link | None = None
    successor: str | None = None
    bound: Bound | None = None
    size: int = 0
    covered: int = 0
    checkpoints: int = 0
    sealed_at: str | None = None
    closed: int | None = None
    closed_at: str | None = None
    sealed: bool = False
    served: bool = False
    first: str | None = None
    last: str | None = None
    roots: dict[int, str] = field(default_factory=dict)
    attempts: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    outcomes: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)


class Replay:
    """Reads one stream, line by line."""

    def __init__(self, *, max_gap: int, wanted: frozenset[int]) -> None:
        """Begin.

        Args:
            max_gap: new records that a checkpoint may cover at most: the verifier's word, not the file's.
            wanted: sizes for which somebody else names a root.
        """
        self.facts = Facts()
        self._max_gap = max_gap
        self._wanted = wanted
        self._tree = MerkleTree()
        self._trees: list[MerkleTree] = [self._tree.copy()]
        self._prev = ""
        self._source = ""
        self._claimed = ""
        self._usual: UsualLine | None = None

    def feed(self, line: bytes) -> None:
        """Take the next whole line.

        Raises:
            TamperedError: it is not what was written.
        """
        facts, seq = self.facts, self.facts.size
        usual = self._usual.parse(line, seq, self._prev) if self._usual is not None else None
        time, kind, data = usual if usual is not None else self._read(line, seq)
        if facts.closed is not None and (facts.sealed or kind != "stream.checkpoint"):
            raise TamperedError("a record after the end of the stream", seq)
        self._take(kind, time, data, seq)
        if facts.closed is not None and kind == "stream.checkpoint":
            self._check_last(line, data["note"], seq)
        self._tree.append(line)
        self._prev = sha256(line).hexdigest()
        facts.size = size = seq + 1
        facts.last = time
        if facts.bound is None and size <= BOUND_WITHIN:
            self._trees.append(self._tree.copy())
        if size in self._wanted:
            facts.roots[size] = root_text(self._tree.root())

    def finish(self, torn: int) -> None:
        """The end of the file: whether a stream can end like this.

        Args:
            torn: bytes after the last whole line.

        Raises:
            TamperedError: it cannot.
        """
        facts = self.facts
        if facts.sealed and torn:
            raise TamperedError("there is something after the end of the stream", facts.size)
        if facts.closed is not None and not facts.sealed and not torn:
            raise TamperedError("the checkpoint over the end of the stream is missing", facts.size)
        self._check_gap(facts.size)

    def _read(self, line: bytes, seq: int) -> tuple[str, str, Data]:
        """Read any line, and say what is wrong with it."""
        try:
            record = parse_envelope(line)
        except LineError as error:
            raise TamperedError(str(error), seq) from None
        kind = record["type"][len(TYPE_PREFIX) : -len(TYPE_SUFFIX)]
        if seq == 0:
            self._open(kind, record["time"], record["data"])
        self._check_place(record, kind, seq)
        self._claimed = record["source"]
        return record["time"], kind, record["data"]

    def _open(self, kind: str, time: str, data: Data) -> None:
        """Line 0 names the key, and the key names the stream."""
        if kind != "stream.open" or data.get("format") != FORMAT or not isinstance(data.get("key"), str):
            raise TamperedError("the first record does not open a stream of this format", 0)
        try:
            key = VerifierKey.parse(data["key"])
        except CheckpointError as error:
            raise TamperedError(str(error), 0) from None
        stream = stream_id(key.public_key)
        if key.name != origin_of(stream):
            raise TamperedError("the stream is not named by its key", 0)
        facts = self.facts
        facts.key, facts.stream, facts.first = key, stream, time
        facts.previous = _link(data.get("previous"))
        self._prev = first_prev(stream)
        self._set_source(key.name)

    def _check_place(self, record: Data, kind: str, seq: int) -> None:
        """Whether a record stands where it says it stands."""
        facts = self.facts
        if record["seq"] != seq:
            missing = record["seq"] > seq
            raise TamperedError(
                "a record is missing here" if missing else "a record is out of its place", seq
            )
        if record["stream"] != facts.stream or record["id"] != f"{facts.stream}/{seq}":
            raise TamperedError("a record of another stream", seq)
        if record["prev"] != self._prev:
            raise BrokenChainError("it was changed after it was written", seq)
        if record["source"] != self._source and kind != "stream.bound":
            raise TamperedError("a record of another source", seq)

    def _take(self, kind: str, time: str, data: Data, seq: int) -> None:
        """What the kinds of records that matter here mean; any other is only read."""
        match kind:
            case "tool.attempt" | "resource.attempt" | "prompt.attempt":
                self._serve(time, seq)
                self.facts.attempts[str(data.get("call", ""))] = (seq, time, str(data.get("target", "")))
            case "tool.outcome" | "resource.outcome" | "prompt.outcome":
                self._outcome(str(data.get("call", "")))
            case "stream.checkpoint":
                self._checkpoint(time, data, seq)
            case "server.ready":
                self._serve(time, seq)
            case "stream.bound":
                self._bind(time, data, seq)
            case "stream.close" | "stream.deleted":
                self._end(kind, time, data, seq)
            case "stream.open" if seq != 0:
                raise TamperedError("a stream is opened once", seq)

    def _checkpoint(self, time: str, data: Data, seq: int) -> None:
        facts, note = self.facts, data.get("note")
        if facts.key is None or not isinstance(note, str):
            raise TamperedError("a checkpoint without a note", seq)
        try:
            checkpoint = open_checkpoint(note, facts.key)
        except CheckpointError as error:
            raise TamperedError(str(error), seq) from None
        if checkpoint.size != seq:
            raise TamperedError("a checkpoint of another place", seq)
        if checkpoint.root != self._tree.root():
            raise TamperedError("not what the next checkpoint has signed", facts.covered, seq - 1)
        self._check_gap(seq)
        facts.covered, facts.sealed_at = seq, time
        facts.checkpoints += 1

    def _check_last(self, line: bytes, note: str, seq: int) -> None:
        """The last line covers itself by saying nothing but the signature and what follows from it."""
        facts = self.facts
        expected = {
            "data": {"note": note},
            "id": f"{facts.stream}/{seq}",
            "prev": self._prev,
            "seq": seq,
            "source": self._source,
            "specversion": "1.0",
            "stream": facts.stream,
            "time": facts.closed_at,
            "type": f"{TYPE_PREFIX}stream.checkpoint{TYPE_SUFFIX}",
        }
        if line != canonical(expected) or signatures_of(note) != 1:
            raise TamperedError("the last checkpoint says more than it may, or of another time", seq)
        facts.sealed = True

    def _check_gap(self, size: int) -> None:
        if size - self.facts.covered > self._max_gap:
            raise TamperedError(
                f"more than {self._max_gap} records without a checkpoint", self.facts.covered, size - 1
            )

    def _bind(self, time: str, data: Data, seq: int) -> None:
        facts, source = self.facts, self._claimed
        if facts.bound is not None or source in ("", self._source):
            raise TamperedError("a stream is bound once, and to an identity", seq)
        proof, size, root = _proof(data, seq)
        if size >= len(self._trees) or root_text(self._trees[size].root()) != root:
            raise TamperedError("the binding is about another beginning of the stream", seq)
        payload = binding_payload(facts.stream, str(facts.key), size, root)
        try:
            check_binding(proof, payload, source)
        except BindingError as error:
            raise TamperedError(str(error), seq) from None
        facts.bound = Bound(proof=proof, payload=payload, source=source, time=time)
        self._set_source(source)
        self._trees.clear()

    def _serve(self, time: str, seq: int) -> None:
        if self.facts.bound is None:
            raise TamperedError(f"it served at {time} and was bound to no identity", seq)
        self.facts.served = True

    def _outcome(self, call: str) -> None:
        if self.facts.attempts.pop(call, None) is None:
            self.facts.outcomes.add(call)

    def _end(self, kind: str, time: str, data: Data, seq: int) -> None:
        """This stream ends, or an older one was deleted."""
        if kind == "stream.deleted":
            self.facts.deleted.add(str(data.get("deleted", "")))
            return
        successor = data.get("next")
        self.facts.closed, self.facts.closed_at = seq, time
        self.facts.successor = successor if isinstance(successor, str) else None

    def _set_source(self, source: str) -> None:
        self._source = self._claimed = source
        self._usual = UsualLine(self.facts.stream, source)


def _link(value: object) -> Link | None:
    """The link to the stream before, where there is one.

    Raises:
        TamperedError: it is something else.
    """
    if value is None:
        return None
    if isinstance(value, dict) and value.keys() == {"stream", "opened", "size", "root"}:
        stream, opened, size, root = value["stream"], value["opened"], value["size"], value["root"]
        if (
            isinstance(stream, str)
            and isinstance(opened, str)
            and type(size) is int
            and isinstance(root, str)
        ):
            return Link(stream=stream, opened=opened, size=size, root=root)
    raise TamperedError("a link to no stream", 0)


def _proof(data: Data, seq: int) -> tuple[BindingProof, int, str]:
    """The proof of a binding, and the size and root that it is about.

    Raises:
        TamperedError: it is something else.
    """
    chain, bundle, token, size = (
        data.get("chain", []),
        data.get("bundle", []),
        data.get("token"),
        data.get("size"),
    )
    texts = [*chain, *bundle] if isinstance(chain, list) and isinstance(bundle, list) else [None]
    texts += [data.get("kind"), data.get("root"), data.get("signature"), data.get("algorithm"), token or ""]
    if not all(isinstance(text, str) for text in texts) or type(size) is not int or size < 0:
        raise TamperedError("a binding without a proof", seq)
    if data["kind"] not in ("x509", "token"):
        raise TamperedError("a binding of an unknown kind", seq)
    proof = BindingProof(
        kind=data["kind"],
        chain=tuple(chain),
        bundle=tuple(bundle),
        signature=data["signature"],
        algorithm=data["algorithm"],
        token=token,
    )
    return proof, size, data["root"]
