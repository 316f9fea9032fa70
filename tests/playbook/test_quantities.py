from __future__ import annotations

import copy
import pickle

import pytest

from playbook.quantities import Count, Measurement, Quantity, Share, Size, Span, counted, listed, magnitude

GIB = 1024**3

PRINTED = [
    (Span(0), "0 ms"),
    (Span(0.0004), "0 ms"),
    (Span(0.25), "250 ms"),
    (Span(0.9996), "1 s"),
    (Span(1), "1 s"),
    (Span(3.14), "3.1 s"),
    (Span(9.96), "10 s"),
    (Span(12.4), "12 s"),
    (Span(59.7), "1 min"),
    (Span(60), "1 min"),
    (Span(432), "7 min 12 s"),
    (Span(3599.6), "1 h"),
    (Span(3600), "1 h"),
    (Span(5400), "1 h 30 min"),
    (Span(86400), "1 d"),
    (Span(183600), "2 d 3 h"),
    (Span(-90), "-1 min 30 s"),
    (Share(0.15), "15 %"),
    (Share(0.155), "15.5 %"),
    (Share(0.9999), "100 %"),
    (Share(0), "0 %"),
    (Share(1), "100 %"),
    (Count(7), "7"),
    (Count(1001), "1,001"),
    (Size(512), "512 B"),
    (Size(1536), "1.5 KiB"),
    (Size(3 * GIB), "3.0 GiB"),
    (Size(5000 * GIB), "4.9 TiB"),
]  # fmt: skip

READ = [
    (Span, "3 min", Span(180)),
    (Span, "250 ms", Span(0.25)),
    (Span, "2h", Span(7200)),
    (Span, " 1.5 d ", Span(129600)),
    (Span, "90", Span(90)),
    (Span, 90, Span(90)),
    (Span, 0.5, Span(0.5)),
    (Span, ".5 s", Span(0.5)),
    (Share, "15 %", Share(0.15)),
    (Share, "15%", Share(0.15)),
    (Share, "0.15", Share(0.15)),
    (Share, 1, Share(1)),
    (Share, 0, Share(0)),
    (Count, "50", Count(50)),
    (Count, 50, Count(50)),
    (Size, "1.5 GiB", Size(3 * GIB / 2)),
    (Size, 1024, Size(1024)),
]

NOT_QUANTITIES = [
    *((Span, text) for text in ("", "soon", "-1 s", -1, "1,5 s", "1.2.3 s", ".", "3 weeks", "nan", True)),
    (Span, "999999999999999 d"),
    *((Share, text) for text in ("", "most", -0.1, 1.1, "150 %", "15 percent", "0..5", True)),
    *((Count, text) for text in ("", "many", -1, 1.5, "1e3", "1,000", True)),
    *((Size, text) for text in ("", "big", -1, "1 GB", "1.2.3 KiB", True)),
]  # fmt: skip


@pytest.mark.parametrize(("quantity", "text"), PRINTED)
def test_a_quantity_prints_with_its_unit(quantity: Quantity, text: str) -> None:
    assert (str(quantity), repr(quantity), f"{quantity}") == (text, text, text)


@pytest.mark.parametrize(("kind", "text", "quantity"), READ)
def test_a_quantity_is_read(kind: type[Quantity], text: str | float, quantity: Quantity) -> None:
    assert kind.parse(text) == quantity
    assert type(kind.parse(text)) is kind


@pytest.mark.parametrize(("kind", "text"), NOT_QUANTITIES)
def test_a_text_that_is_not_a_quantity_is_refused(kind: type[Quantity], text: str | float) -> None:
    with pytest.raises(ValueError, match=r" is not a | is too long "):
        kind.parse(text)


@pytest.mark.parametrize("quantity", [Span(432), Share(0.15), Count(1001), Size(GIB)])
def test_a_quantity_survives_pickling_and_copying(quantity: Quantity) -> None:
    for twin in (pickle.loads(pickle.dumps(quantity)), copy.deepcopy(quantity)):
        assert (type(twin), str(twin)) == (type(quantity), str(quantity))


def test_machines_get_plain_numbers() -> None:
    assert [magnitude(each) for each in (Span(432), Share(0.15), Count(1001), Size(1024))] == [432, 0.15, 1001, 1024]
    assert magnitude(Measurement("in words", Span(3))) == 3
    assert [magnitude(each) for each in (Measurement("no traffic"), None, "text", True)] == [None] * 4


def test_a_list_is_cut_after_a_few() -> None:
    assert listed([]) == ""
    assert listed(["a", "b"]) == "a, b"
    assert listed(range(7)) == "0, 1, 2, 3, 4 and 2 more"
    assert listed("abc", most=1) == "a and 2 more"


def test_a_count_agrees_with_its_noun() -> None:
    assert [counted(number, "error line") for number in (0, 1, 1200)] == [
        "0 error lines",
        "1 error line",
        "1,200 error lines",
    ]
