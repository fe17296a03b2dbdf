"""The Merkle tree: RFC 6962's hash, whatever the size, one leaf after the other."""

from hashlib import sha256

import pytest

from launchworthy.audit.merkle import EMPTY_ROOT, MerkleTree

# The leaves and roots that certificate transparency's implementations test with.
LEAVES = tuple(
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def tree_hash(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + tree_hash(leaves[:split]) + tree_hash(leaves[split:])).digest()


def test_the_empty_tree_has_the_hash_of_nothing():
    assert MerkleTree().root() == EMPTY_ROOT == tree_hash([])


def test_the_known_roots_come_out():
    tree = MerkleTree()
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        tree.append(leaf)
        assert tree.root().hex() == root


def test_every_size_up_to_three_hundred_is_as_the_rfc_says():
    tree = MerkleTree()
    leaves = []
    for number in range(300):
        leaves.append(str(number).encode())
        tree.append(leaves[-1])
        assert tree.root() == tree_hash(leaves)
        assert tree.size == len(leaves)


def test_a_copy_grows_by_itself():
    tree = MerkleTree()
    for number in range(5):
        tree.append(bytes([number]))
    before, twin = tree.root(), tree.copy()
    twin.append(b"more")
    assert (tree.root(), tree.size) == (before, 5)
    assert twin.root() == tree_hash([*(bytes([number]) for number in range(5)), b"more"])


@pytest.mark.parametrize("other", [[b"b", b"a"], [b"ab"], [b"a"], [b"a", b"b", b""]])
def test_other_leaves_have_another_root(other):
    tree = MerkleTree()
    tree.append(b"a")
    tree.append(b"b")
    assert tree.root() != tree_hash(other)
