"""Parameters with labels, units and bounds, declared once as a dataclass.

The page's widgets, the command line's ``--set``, the store and every export read the same declaration::

    @dataclass(frozen=True)
    class SepParameters(Parameters):
        threshold_sigma: float = parameter(
            1.5, label="Threshold", unit="σ", low=0.5, high=50.0, help="...", why="..."
        )
"""

from __future__ import annotations

import dataclasses
import json
import math
import numbers
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from core.errors import ParameterInvalid

Value = bool | int | float | str | None
_METADATA = "almagest.parameter"
_NONE_WORDS = {"auto", "none", ""}
_TRUE_WORDS = {"true", "yes", "on", "1"}
_FALSE_WORDS = {"false", "no", "off", "0"}


@dataclass(frozen=True)
class ParameterSpec:
    """What is known of one parameter.

    Attributes:
        name: Its name in the dataclass, in ``--set`` and in the store; ends in its unit where it has one.
        kind: ``bool``, ``int``, ``float`` or ``str``.
        optional: ``None`` is accepted and means "measured from the frame".
        default: The default value.
        label: What a person reads beside the widget.
        unit: The unit as a person writes it, or an empty string.
        low, high: Inclusive bounds of a number.
        step: A sensible step for a slider.
        choices: The accepted strings; empty when any number within the bounds will do.
        help: What it does.
        why: Why the default is what it is.
        advanced: Hidden until a person asks for every parameter.
    """

    name: str
    kind: type
    optional: bool
    default: Value
    label: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""
    why: str = ""
    advanced: bool = False

    @property
    def bounds(self) -> str:
        """The accepted values in words: ``"0.5 to 50 σ"`` or ``"one of a, b"``."""
        if self.choices:
            text = "one of " + ", ".join(self.choices)
        elif self.kind is bool:
            text = "true or false"
        elif self.low is None and self.high is None:
            text = "any text" if self.kind is str else "any number"
        elif self.high is None:
            text = f"{self.low:g} or more {self.unit}".rstrip()
        elif self.low is None:
            text = f"{self.high:g} or less {self.unit}".rstrip()
        else:
            text = f"{self.low:g} to {self.high:g} {self.unit}".rstrip()
        return f"{text}, or auto" if self.optional else text

    def check(self, value: Any) -> Value:
        """Give ``value`` as this parameter's type.

        Raises:
            ParameterInvalid: The value has the wrong type or is out of bounds.
        """
        if value is None and self.optional:
            return None
        if getattr(value, "shape", None) == ():
            value = value.item()  # a number of NumPy is as good as one of Python
        if self.kind is bool:
            if not isinstance(value, bool):
                raise self._refusal(value)
            return value
        if self.kind is str:
            if not isinstance(value, str) or (self.choices and value not in self.choices):
                raise self._refusal(value)
            return value
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise self._refusal(value)
        try:
            number = float(value)
        except OverflowError:
            raise self._refusal(value) from None
        if not math.isfinite(number) or (self.kind is int and number != int(number)):
            raise self._refusal(value)
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            raise self._refusal(value)
        return int(number) if self.kind is int else number

    def parse(self, text: str) -> Value:
        """Read ``text`` as the command line gives it (``"auto"`` is ``None`` where that is accepted).

        Raises:
            ParameterInvalid: The text is not a value of this parameter.
        """
        word = text.strip()
        if self.optional and word.lower() in _NONE_WORDS:
            return None
        if self.kind is bool:
            if word.lower() in _TRUE_WORDS | _FALSE_WORDS:
                return word.lower() in _TRUE_WORDS
            raise self._refusal(text)
        if self.kind is str:
            return self.check(word)
        try:
            number = float(word)
        except ValueError:
            raise self._refusal(text) from None
        return self.check(number)

    def _refusal(self, given: Any) -> ParameterInvalid:
        return ParameterInvalid(
            f"{self.name} must be {self.bounds}, got {given!r}.",
            parameter=self.name,
            given=given,
            limit=self.bounds,
        )


def parameter(
    default: Value,
    *,
    label: str,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    choices: tuple[str, ...] = (),
    help: str = "",
    why: str = "",
    advanced: bool = False,
) -> Any:
    """Declare a field of a :class:`Parameters` dataclass; see :class:`ParameterSpec` for the arguments."""
    about = {
        "label": label,
        "unit": unit,
        "low": low,
        "high": high,
        "step": step,
        "choices": choices,
        "help": help,
        "why": why,
        "advanced": advanced,
    }
    return dataclasses.field(default=default, metadata={_METADATA: about})


@dataclass(frozen=True)
class Parameters:
    """Base of every parameter dataclass: a frozen set of checked values.

    Raises:
        ParameterInvalid: A value has the wrong type or is out of bounds (on construction).
    """

    _specs: ClassVar[tuple[ParameterSpec, ...] | None] = None

    def __post_init__(self) -> None:
        for spec in self.specs():
            object.__setattr__(self, spec.name, spec.check(getattr(self, spec.name)))

    @classmethod
    def specs(cls) -> tuple[ParameterSpec, ...]:
        """The parameters in the order they were declared."""
        if "_specs" not in cls.__dict__ or cls._specs is None:
            hints = typing.get_type_hints(cls)
            cls._specs = tuple(
                _spec(field, hints[field.name])
                for field in dataclasses.fields(cls)
                if _METADATA in field.metadata
            )
        return cls._specs

    @classmethod
    def spec(cls, name: str) -> ParameterSpec:
        """The parameter called ``name``.

        Raises:
            ParameterInvalid: There is none; the message lists those there are.
        """
        for spec in cls.specs():
            if spec.name == name:
                return spec
        known = ", ".join(spec.name for spec in cls.specs()) or "none"
        raise ParameterInvalid(
            f"There is no parameter {name!r}; there are: {known}.", parameter=name, given=name, limit=known
        )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Build from stored values; names that are absent keep their default."""
        return cls(**{cls.spec(name).name: value for name, value in values.items()})

    @classmethod
    def from_strings(cls, values: Mapping[str, str]) -> Self:
        """Build from the command line's ``--set name=value`` pairs."""
        return cls(**{name: cls.spec(name).parse(text) for name, text in values.items()})

    def to_dict(self) -> dict[str, Value]:
        """The values by name, ready for JSON."""
        return {spec.name: getattr(self, spec.name) for spec in self.specs()}

    def to_json(self) -> str:
        """The values as canonical JSON: the same values always give the same text."""
        return canonical_json(self.to_dict())


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces, so that equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _spec(field: dataclasses.Field[Any], hint: Any) -> ParameterSpec:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    concrete = [kind for kind in kinds if kind is not type(None)]
    if len(concrete) != 1 or concrete[0] not in (bool, int, float, str):
        raise TypeError(
            f"{field.name}: a parameter is a bool, int, float or str, optionally None; got {hint}"
        )
    return ParameterSpec(
        name=field.name,
        kind=concrete[0],
        optional=len(concrete) < len(kinds),
        default=typing.cast(Value, field.default),
        **field.metadata[_METADATA],
    )
