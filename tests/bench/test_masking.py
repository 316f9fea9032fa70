"""What masking finds and what it leaves alone, by two corpora: one that it was tuned by, one that was kept apart."""

from __future__ import annotations

import random
import re
import time
from importlib import import_module
from pkgutil import iter_modules
from re import _constants as signs  # type: ignore[attr-defined]  # the only way to make a text from a pattern
from re import _parser as parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

import pytest

from bench.masking import FALSE_AT_MOST, FOUND_AT_LEAST, HELD_OUT, TUNED_BY, plant, share_found, share_touched
from fixtures.clients.masking import MASK, Masker

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_SECRETS = {
    "ip_public",  # an address
    "private_key",  # the first line of one, without the key
    "artifactory",  # any word that begins with AP, or AKC
    "cloudant", "softlayer", "ibm_cos_hmac", "ibm_cloud_iam",  # found by their names
}  # fmt: skip


def test_what_it_was_tuned_by_is_found_and_no_healthy_line_touched() -> None:
    assert share_found(TUNED_BY) == (1.0, [])
    assert share_touched(TUNED_BY) == (0.0, [])


def test_of_what_was_kept_apart_little_is_missed() -> None:
    found, missed = share_found(HELD_OUT)
    assert found >= FOUND_AT_LEAST, missed


def test_few_healthy_lines_that_were_kept_apart_are_touched() -> None:
    share, touched = share_touched(HELD_OUT)
    assert share <= FALSE_AT_MOST, touched


def test_a_corpus_stores_no_secret() -> None:
    one, other = (plant("token «[a-z]{8}» and «x[0-9]{4}»", random.Random(seed)) for seed in (1, 2))
    assert re.fullmatch(r"token [a-z]{8} and x[0-9]{4}", one.text)
    assert one.secrets != other.secrets
    assert one.left(one.text)
    assert not one.left(MASK)


def rules() -> Iterator[tuple[str, str, int]]:
    """The rules of detect-secrets: a well-kept scanner, which takes too long to import to be asked in every run."""
    plugins = pytest.importorskip("detect_secrets.plugins")
    for module in iter_modules(plugins.__path__):
        for thing in vars(import_module(f"{plugins.__name__}.{module.name}")).values():
            denied = getattr(thing, "denylist", None)
            if isinstance(denied, list | tuple) and module.name not in NO_SECRETS:
                yield from ((module.name, rule.pattern, rule.flags) for rule in denied)


def written(parsed: Any, chance: random.Random) -> str:
    """Return a text of the kind that a pattern finds, as long as tokens are."""
    text = ""
    for kind, value in parsed:
        if kind is signs.LITERAL:
            text += chr(value)
        elif kind is signs.ANY:
            text += chance.choice("abcXYZ019")
        elif kind is signs.NOT_LITERAL:
            text += "x"
        elif kind is signs.IN:
            text += member(value, chance)
        elif kind is signs.SUBPATTERN:
            text += written(value[3], chance)
        elif kind is signs.BRANCH:
            text += written(chance.choice(value[1]), chance)
        elif kind in (signs.MAX_REPEAT, signs.MIN_REPEAT):
            least, most, of = value
            times = chance.randint(min(most, max(least, 12)), min(most, max(least, 24)))
            text += "".join(written(of, chance) for _ in range(times))
    return text


def member(kinds: Any, chance: random.Random) -> str:
    if kinds[0][0] is signs.NEGATE:
        return chance.choice("abcdeXYZ0123")
    letters = []
    for kind, value in kinds:
        if kind is signs.RANGE:
            letters += [chr(chance.randint(*value))] * (value[1] - value[0])
        elif kind is signs.CATEGORY:
            letters += [chance.choice("0123456789")] * 10
        else:
            letters.append(chr(value))
    return chance.choice([letter for letter in letters if letter != "\\"])  # no provider has it in a token


def test_what_the_rules_of_a_scanner_find_is_masked() -> None:
    mask, missed = Masker(set()), []
    for name, pattern, flags in dict.fromkeys(rules()):
        rule = re.compile(pattern, flags)
        for seed in range(20):
            token = written(parser.parse(pattern, flags), random.Random(f"{pattern} {seed}"))
            text = f"seen {token} there"
            if rule.search(text) and (left := rule.search(mask(text))) and MASK not in left[0]:
                missed.append(f"{name}: {mask(text)}")
    assert missed == []


@pytest.mark.parametrize(
    "word",
    [
        "password:\n", "password:\n a", "password for ", "a:bcd@", "://hooks.", "user a on #", "community ",
        ":thin:/", "auth=", "auth://", "auth={", "auth=[", 'auth="', "key=", "key://", "name=password,value=",
        "password=", "pass ", "secret", "token=os.", "token_url=http://a;", "secret=${", "auth=$a$", "eyJabcde-",
        "eyJaaaaa.", "://a:", "http://", "a://b:c", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----\n",
        "MII\nPRIVATE KEY-----", "curl -u ", "mysql -p", "sshpass x ", "docker login ", "SETUSER a ", 'AUTH "',
        "login a password ", "crypt(", "identified by '", "a:1:", "cookie: a=", "aB1", "a/", "/webhook/a", "ghp_",
        "SK", "%22", '\\"', "\\", "=", "\u202e", "\x1b[",
    ],
)  # fmt: skip
def test_a_long_line_is_masked_in_linear_time(word: str) -> None:
    def seconds(letters: int) -> float:
        text = word * (letters // len(word))
        began = time.thread_time()
        Masker({"Hidden1"})(text)
        return time.thread_time() - began

    seconds(1000)  # compiles
    once, fourfold = seconds(20_000), min(seconds(80_000), seconds(80_000))
    assert fourfold <= 10 * once + 0.1  # were it quadratic: 16 times
