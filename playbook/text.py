"""Text from elsewhere: what a terminal would obey, and lines that forge others, are taken out of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import category

if TYPE_CHECKING:
    from collections.abc import Callable

LEFT_OUT = "(left out)"  # in place of what the settings keep out of every output
KEPT = frozenset("\n\t")
CUT = "…"
_SEQUENCE = re.compile(r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]")  # colours, movements of the cursor
_STANDS_FOR = {"Cf": "", "Zs": " ", "Zl": "\n", "Zp": "\n"}  # by category: invisible, blank, an end of a line


def printable(text: str) -> str:
    """Return text of which a terminal obeys nothing but the ends of lines and tabs; bytes that are no text are escaped.

    Sequences that style are removed, and so are invisible letters, which would hide a word from whoever looks for it.
    """
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    text = text.encode(errors="backslashreplace").decode().replace("\r\n", "\n")
    if "\x1b" in text:
        text = _SEQUENCE.sub("", text)
    bad = [letter for letter in set(text) if not (letter.isprintable() or letter in KEPT)]
    return text.translate({ord(each): _STANDS_FOR.get(category(each), "\N{REPLACEMENT CHARACTER}") for each in bad})


def on_one_line(text: str) -> str:
    """Return printable text without ends of lines, which in a name or a message would begin a line of their own."""
    return " ".join(printable(text).split())


def brief(mask: Callable[[str], str], text: str, most: int) -> str:
    """Return the beginning of a text, on one line: masked first, since a part of a secret looks like none."""
    return on_one_line(mask(text))[:most]


def whole_words(text: str) -> str:
    """Return a text without the word before the sign of a cut at its end: the cut may have gone through a secret."""
    if not text.endswith(CUT):
        return text
    return re.sub(rf"\S*{CUT}\Z", CUT, text)
