"""Limits: the thresholds of an alert, typed, with the playbook's values as defaults."""

from __future__ import annotations

from dataclasses import dataclass, fields
from inspect import get_annotations
from typing import TYPE_CHECKING, Annotated, Any, dataclass_transform, get_args, get_origin, get_type_hints

from playbook.quantities import Count, Quantity, Share, Size, Span, magnitude

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self


def seconds(number: float) -> Span:
    """Return a limit in seconds."""
    return Span(number)


def minutes(number: float) -> Span:
    """Return a limit in minutes."""
    return Span(number * 60)


def hours(number: float) -> Span:
    """Return a limit in hours."""
    return Span(number * 3600)


def percent(number: float) -> Share:
    """Return a limit as a part of the whole: `percent(15)` is 0.15."""
    return Share(number / 100)


def gibibytes(number: float) -> Size:
    """Return a limit in bytes, printed in GiB."""
    return Size(number * 1024**3)


def items(number: int) -> Count:
    """Return a limit as a number of things."""
    return Count(number)


class AtMost:
    """The largest value that a limit may have, because its probe counts no further: `Annotated[Count, AtMost(…)]`."""

    def __init__(self, most: Quantity) -> None:
        self.most = most


@dataclass_transform(kw_only_default=True, frozen_default=True)
class AlertLimits:
    """The limits of one alert, one field each: `heartbeat_age: Span = minutes(3)`.

    A threshold that several alerts share is a field of a base class. The field's type is its unit.
    """

    def __init_subclass__(cls) -> None:
        """Make the class a frozen dataclass; TypeError for a limit without a type, or whose default is not of it."""
        for name, default in vars(cls).items():  # without a type it would be no field: nobody could override it
            if isinstance(default, Quantity) and name not in get_annotations(cls):
                kind = type(default).__name__
                raise TypeError(f"{cls.__qualname__}.{name} needs its type: `{name}: {kind} = …`")
        dataclass(frozen=True, kw_only=True)(cls)
        for name, (kind, _) in cls.kinds().items():
            if not issubclass(kind, Quantity):
                raise TypeError(f"{cls.__qualname__}.{name}: {kind.__name__} is not a quantity")
            if not isinstance(getattr(cls, name, None), kind):
                raise TypeError(f"{cls.__qualname__}.{name} needs a default of its type, {kind.__name__}")

    @classmethod
    def kinds(cls) -> dict[str, tuple[Any, Quantity | None]]:
        """Return each limit's quantity and the largest value that it may have, by name."""
        found: dict[str, tuple[Any, Quantity | None]] = {}
        hints = get_type_hints(cls, include_extras=True)
        for field in fields(cls):  # type: ignore[arg-type]  # each subclass is a dataclass
            kind, bound = hints[field.name], None
            if get_origin(kind) is Annotated:
                kind, *notes = get_args(kind)
                bound = next((note.most for note in notes if isinstance(note, AtMost)), None)
            found[field.name] = (kind, bound)
        return found

    @classmethod
    def overridden(cls, overrides: Mapping[str, str | float]) -> Self:
        """Return the limits with a target's overrides, each read in the unit of its default.

        Raises ValueError, with a sentence that names the limit, for an unknown name and for a value that is not one.
        """
        if not overrides:
            return cls()
        kinds = cls.kinds()
        values: dict[str, Quantity] = {}
        for name, text in overrides.items():
            if name not in kinds:
                raise ValueError(f"{name}: no such limit (it has: {', '.join(kinds) or 'none'})")
            kind, most = kinds[name]
            try:
                values[name] = kind.parse(text)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
            if most is not None and (magnitude(values[name]) or 0) > (magnitude(most) or 0):
                raise ValueError(f"{name}: {values[name]} is above {most}, the most that is counted")
        return cls(**values)

    def by_name(self) -> dict[str, Quantity]:
        """Return the limits by name, in the order in which they are declared."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]  # as above


class NoLimits(AlertLimits):
    """An alert without limits."""
