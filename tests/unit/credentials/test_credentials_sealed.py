"""Does a sealed token stay sealed, and does only its broker open it?"""

import ast
import copy
import gc
import pickle
from pathlib import Path

import pytest

from launchworthy.credentials import let_go, seal
from launchworthy.credentials.sealed import _SEALED_TOKENS, unseal
from launchworthy.vocabulary import BearerToken

FRAMEWORK = Path(__file__).resolve().parents[3] / "framework" / "launchworthy"


def test_a_sealed_token_shows_nothing_and_is_opened_by_name_only():
    sealed = seal(BearerToken("a.b.c"))
    assert "a.b.c" not in repr(sealed) + str(sealed) + f"{sealed}"
    assert not hasattr(sealed, "__dict__")
    assert unseal(sealed).reveal() == "a.b.c"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(sealed)


def test_it_is_forgotten_with_its_call():
    sealed = seal(BearerToken("a.b.c"))
    let_go(sealed)
    let_go(sealed)
    with pytest.raises(KeyError):
        unseal(sealed)


def test_it_is_forgotten_with_its_holder():
    gc.collect()
    before = len(_SEALED_TOKENS)
    sealed = seal(BearerToken("a.b.c"))
    assert len(_SEALED_TOKENS) == before + 1
    del sealed
    gc.collect()
    assert len(_SEALED_TOKENS) == before


def test_only_the_broker_that_exchanges_tokens_and_a_stream_open_it():
    openers = set()
    for path in FRAMEWORK.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            named = getattr(node, "id", None) or getattr(node, "attr", None)
            if named in ("unseal", "_SEALED_TOKENS"):
                openers.add(str(path.relative_to(FRAMEWORK)))
    assert openers == {
        "credentials/sealed.py",
        "credentials/brokers/token_exchange.py",
        "enforcement/subscriptions.py",
    }
