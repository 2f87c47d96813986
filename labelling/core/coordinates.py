"""Latitudes and longitudes as people write them: decimals, decimal commas, degrees and minutes, lost signs."""

import math
import re
import unicodedata
from dataclasses import dataclass

from labelling.core.errors import BadGeometry

LAT, LON = "lat", "lon"
NAMES = {LAT: "latitude", LON: "longitude"}
SIDES = {LAT: ("N", "S"), LON: ("E", "W")}
SAID = {"N": "north", "S": "south", "E": "east", "W": "west"}
# English, Spanish, Portuguese, French and German; O is Oeste and Ouest, as in most mining registries.
_WORDS = {
    "N": ("n", "north", "norte", "nord"),
    "S": ("s", "south", "sur", "sul", "sud", "süd"),
    "E": ("e", "east", "este", "leste", "est", "ost", "l"),
    "W": ("w", "west", "oeste", "ouest", "o"),
}
_SIDE = {word: side for side, words in _WORDS.items() for word in words}
_BEFORE = re.compile(r"^([^\W\d_]+)[.:]?\s*(?=[-+]?[\d.,°º˚])")
_AFTER = re.compile(r"(?<=[^A-Za-z])\s*([^\W\d_]+)\.?$")
# Whatever stands between two numbers separates them: the marks of minutes are often lost on the way.
_GAP = r"[^\w.,+-]+"
_NUMBER = r"\d{1,9}(?:[.,]\d{0,15})?"
_ANGLE = re.compile(rf"^([-+]?)\s*({_NUMBER})(?:{_GAP}({_NUMBER}))?(?:{_GAP}({_NUMBER}))?(?:{_GAP})?$")
# "33d 30m 15s": only after a d is an s the seconds, and not the south.
_UNITS = re.compile(
    r"(\d)\s*(?:degrees?|deg|d)\s*(?:([\d.,]+)\s*(?:minutes?|min|m)\s*(?:([\d.,]+)\s*(?:seconds?|sec|s))?)?", re.I
)
# Before they are made compatible: the ordinal º would become an o, which is the west.
_LIKENESSES = str.maketrans("−–—‒º˚", "----°°")
MAX_LENGTH = 60


class LooseMinutes(BadGeometry):
    """Minutes or seconds above sixty: most likely decimals of a degree."""


@dataclass(frozen=True)
class Angle:
    """A latitude or longitude.

    Attributes:
        degrees: with a sign; positive where nothing says the side.
        side: ``N``, ``S``, ``E`` or ``W`` as a letter or a word said it; empty where none did.
        is_signed: it had a sign.
    """

    degrees: float
    side: str = ""
    is_signed: bool = False


def read_angle(text: str, axis: str, *, minutes_as_decimals: bool = False) -> Angle:
    """Read a latitude or longitude.

    Args:
        text: as the file has it.
        axis: ``lat`` or ``lon``.
        minutes_as_decimals: read ``25° 84'`` as 25.84 degrees; otherwise it is refused.

    Raises:
        LooseMinutes: minutes or seconds above sixty.
        BadGeometry: it cannot be read, or contradicts itself.
    """
    plain = unicodedata.normalize("NFKC", text.strip()[: MAX_LENGTH + 1].translate(_LIKENESSES))
    body, side = _split_side(_UNITS.sub(r"\1° \2' \3 ", plain).strip())
    found = _ANGLE.match(body) if len(plain) <= MAX_LENGTH else None
    if found is None:
        missing = "the degrees are missing" if re.match(r"^[-+]?\s*[°º˚]", body) else "it cannot be read"
        raise BadGeometry(_told(axis, text, missing))
    if side and side not in SIDES[axis]:
        raise BadGeometry(_told(axis, text, f"it says {SAID[side]}: are latitude and longitude swapped?"))
    sign, *parts = found.groups()
    if sign == "-" and side in {"N", "E"}:
        raise BadGeometry(_told(axis, text, f"it has a minus and says {SAID[side]}"))
    size = _sum([part for part in parts if part], axis, text, minutes_as_decimals)
    return Angle(-size if sign == "-" or side in {"S", "W"} else size, side, bool(sign))


def _split_side(text: str) -> tuple[str, str]:
    for pattern in (_BEFORE, _AFTER):
        found = pattern.search(text)
        side = _SIDE.get(found.group(1).casefold(), "") if found else ""
        if found and side:
            return (text[: found.start()] + text[found.end() :]).strip(), side
    return text, ""


def _sum(parts: list[str], axis: str, text: str, minutes_as_decimals: bool) -> float:
    if any("." in part or "," in part for part in parts[:-1]):
        raise BadGeometry(_told(axis, text, "it is more than one number"))
    numbers = [float(part.replace(",", ".")) for part in parts]
    if len(numbers) == 2 and minutes_as_decimals and numbers[1] > 60:
        return float(f"{parts[0]}.{parts[1].replace(',', '').replace('.', '')}")
    # Exactly sixty is what rounding up leaves behind.
    if any(number > 60 for number in numbers[1:]):
        many = (
            f"{numbers[1]:g} minutes, but a degree has"
            if numbers[1] > 60
            else f"{numbers[2]:g} seconds, but a minute has"
        )
        raise LooseMinutes(_told(axis, text, f"{many} sixty"))
    return math.fsum(number / 60**power for power, number in enumerate(numbers))


def _told(axis: str, text: str, what: str) -> str:
    return f"{NAMES[axis]} {text.strip()[:40]!r}: {what}"
