"""Text from elsewhere: nothing in it that a terminal obeys, and cuts that show no part of a secret."""

from __future__ import annotations

import sys

import pytest

from playbook.target import BadSettings
from playbook.text import CUT, brief, on_one_line, printable, whole_words

SECRET = "hunter2-and-more"


def test_of_all_characters_a_terminal_gets_those_that_print_the_ends_of_lines_and_tabs() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    left = set(printable(everything))
    assert {letter for letter in left if not letter.isprintable()} == {"\n", "\t"}
    assert {letter for letter in everything if letter.isprintable()} <= left


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, täglich ☕", "plain, täglich ☕"),
        ("two\nlines\r\nand\tthree", "two\nlines\nand\tthree"),
        ("\x1b[1;31mred\x1b[0m and \x1b[2Jgone", "red and gone"),
        ("a title \x1b]0;mine\x07", "a title �]0;mine�"),
        ("\x9b31m over\rwritten\x08\x00", "�31m over�written��"),
        ("user\u202etxt.exe\u2066 hid\u200bden", "usertxt.exe hidden"),
        ("a\u00a0b\u2028c", "a b\nc"),
        ("caf\udce9", "caf\\udce9"),
    ],
)
def test_what_a_terminal_would_obey_is_taken_out(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_a_name_of_several_lines_is_one() -> None:
    assert on_one_line("api\nFIRING sev0\x0bNoActiveWorkers\u2029!") == "api FIRING sev0 �NoActiveWorkers !".replace(
        " �", "�"
    )


def test_wrong_usage_is_one_clean_line() -> None:
    assert str(BadSettings("project \x1b[31m'a\nb'\x07")) == "project 'a b'�"


@pytest.mark.parametrize("place", range(60))
def test_a_cut_never_shows_a_part_of_a_secret(place: int) -> None:
    text = "x" * place + f" {SECRET} " + "y" * 60
    shown = brief(lambda words: words.replace(SECRET, "•••"), text, 40)
    assert len(shown) <= 40
    assert "hun" not in shown


@pytest.mark.parametrize("kept", range(1, len(SECRET)))
def test_the_word_that_a_server_cut_through_is_not_shown(kept: int) -> None:
    assert whole_words(f"set x = '{SECRET[:kept]}{CUT}") == f"set x = {CUT}"
    assert whole_words(f"{SECRET[:kept]}{CUT}") == CUT


def test_a_whole_text_keeps_its_last_word() -> None:
    assert whole_words("select 1") == "select 1"
