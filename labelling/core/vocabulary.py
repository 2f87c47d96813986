"""The types that exist, and what people call them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labelling.core.crosswalks import SYNONYMS, WORDS
from labelling.core.errors import BadInput

AXES = ("feature", "commodity", "method")


@dataclass(frozen=True)
class Vocabulary:
    """The types that exist: code -> axis, and what people call them.

    Attributes:
        axis_of: code -> axis.
        spoken: name or code, in lower case -> code.
    """

    axis_of: Mapping[str, str]
    spoken: Mapping[str, str]

    @classmethod
    def of(cls, types: Sequence[tuple[str, str, str]]) -> "Vocabulary":
        """Build it from (code, name, axis) of each type, with the synonyms that ship."""
        axis_of = {code: axis for code, _, axis in types}
        spoken = {text: code for text, code in SYNONYMS.items() if code in axis_of}
        # A name that two axes share belongs to the first.
        for code, name, _ in reversed(types):
            spoken[name.casefold()] = spoken[code.casefold()] = code
        return cls(axis_of, spoken)

    def code_of(self, text: str) -> str:
        """Find the code that a person means by a code, a name or a synonym.

        Raises:
            BadInput: none of them.
        """
        plain = plain_text(text)
        code = self.spoken.get(plain) or self.spoken.get(plain.replace("_", " "), text)
        self.check_code(code)
        return code

    def said_on(self, axis: str) -> dict[str, str | None]:
        """What a column of one axis may hold: codes, names, synonyms and signs, in lower case -> code."""
        named = {text: code for text, code in WORDS.get(axis, {}).items() if code in self.axis_of}
        return {**named, **{text: code for text, code in self.spoken.items() if self.axis_of[code] == axis}}

    def check_code(self, code: str) -> str:
        """Give the axis of a code.

        Raises:
            BadInput: no such code; the message lists those that exist.
        """
        if code not in self.axis_of:
            msg = f"no mine type {code[:60]!r}; the codes are {', '.join(sorted(self.axis_of))}"
            raise BadInput(msg)
        return self.axis_of[code]


def plain_text(value: Any) -> str:
    """What values are compared by: 5, 5.0 and " 5 " are one, and so are upper and lower case."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().casefold()
