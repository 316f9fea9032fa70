"""Limits: the thresholds of an alert, typed, with the playbook's values as defaults."""

from __future__ import annotations

from inspect import get_annotations
from typing import TYPE_CHECKING, ClassVar, NoReturn, dataclass_transform, get_args

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

    KINDS: ClassVar[dict[str, tuple[type[Quantity], Quantity | None]]] = {}

    def __init_subclass__(cls) -> None:
        """Collect each limit's quantity, and the largest value that it may have.

        TypeError for a limit without a type, of another type, or with a default that is not of its type.
        """
        bases = [vars(base).get("KINDS", {}) for base in reversed(cls.__mro__[1:])]
        cls.KINDS = {name: kind for kinds in bases for name, kind in kinds.items()}
        annotations = get_annotations(cls, eval_str=True)
        for name, default in vars(cls).items():  # without a type it would be no limit: nobody could override it
            if isinstance(default, Quantity) and name not in annotations:
                raise TypeError(f"{cls.__qualname__}.{name} needs its type: `{name}: {type(default).__name__} = …`")
        for name, annotation in annotations.items():
            kind, *notes = get_args(annotation) or (annotation,)
            if not issubclass(kind, Quantity):
                raise TypeError(f"{cls.__qualname__}.{name}: {kind.__name__} is not a quantity")
            if not isinstance(vars(cls).get(name), kind):
                raise TypeError(f"{cls.__qualname__}.{name} needs a default of its type, {kind.__name__}")
            cls.KINDS[name] = (kind, next((note.most for note in notes if isinstance(note, AtMost)), None))

    def __init__(self, **values: Quantity) -> None:
        vars(self).update(values)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__qualname__}.{name} cannot be changed, only overridden in the settings")

    @classmethod
    def overridden(cls, overrides: Mapping[str, str | float]) -> Self:
        """Return the limits with a target's overrides, each read in the unit of its default.

        Raises ValueError, with a sentence that names the limit, for an unknown name and for a value that is not one.
        """
        values: dict[str, Quantity] = {}
        for name, text in overrides.items():
            if name not in cls.KINDS:
                raise ValueError(f"{name}: no such limit (it has: {', '.join(cls.KINDS) or 'none'})")
            kind, most = cls.KINDS[name]
            try:
                values[name] = kind.parse(text)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
            if most is not None and (magnitude(values[name]) or 0) > (magnitude(most) or 0):
                raise ValueError(f"{name}: {values[name]} is above {most}, the most that is counted")
        return cls(**values)

    def by_name(self) -> dict[str, Quantity]:
        """Return the limits by name, in the order in which they are declared."""
        return {name: getattr(self, name) for name in self.KINDS}


class NoLimits(AlertLimits):
    """An alert without limits."""
