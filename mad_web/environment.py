"""The environment, read so that a wrong value stops the start with one line that says what to change."""

import os
import re
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

_TRUE, _FALSE = ("1", "on", "true", "yes"), ("0", "off", "false", "no")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Environment(environ.Env):
    """django-environ with values that are checked."""

    def int(self, var: str, default: Any = environ.Env.NOTSET, *, least: int = 0) -> int:
        """Read a whole number that is not below ``least``."""
        text = self.str(var, default=str(default)).strip()
        if not re.fullmatch(r"-?\d{1,12}", text) or int(text) < least:
            raise _wrong(var, text, f"a whole number from {least}, such as {default}")
        return int(text)

    def bool(self, var: str, default: Any = environ.Env.NOTSET) -> bool:
        """Read a switch. A misspelt word is an error, not "off"."""
        text = self.str(var, default=str(default)).strip().lower()
        if text not in (*_TRUE, *_FALSE):
            raise _wrong(var, text, "true or false")
        return text in _TRUE

    def level(self, var: str, default: str) -> str:
        """Read the name of a level of logging."""
        text: str = self.str(var, default=default).upper()
        if text not in LEVELS:
            raise _wrong(var, text, f"one of {', '.join(LEVELS)}")
        return text

    def folder(self, var: str, default: Path) -> Path:
        """Read a folder that the program writes to, and make it where it is missing."""
        path = Path(self.str(var, default="") or default).absolute()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _wrong(var, str(path), f"a folder that this user can make ({error.strerror})") from error
        if not os.access(path, os.W_OK | os.X_OK):
            raise _wrong(var, str(path), "a folder that this user may write to")
        return path

    def folders(self, var: str, default: str) -> list[Path]:
        """Read absolute paths of folders, with ``:`` between several."""
        parts = [part for part in self.str(var, default=default).split(os.pathsep) if part]
        for part in parts:
            if not Path(part).is_absolute():
                raise _wrong(var, part, f"absolute paths, with {os.pathsep} between several, such as /data/imagery")
        return [Path(part) for part in parts]

    def library(self, var: str, found: str | None) -> str | None:
        """Read the path of a shared library, or take the one that was found."""
        text = self.str(var, default="")
        if text and not Path(text).is_file():
            raise _wrong(var, text, "the path of a shared library that exists, or leave it empty")
        return text or found

    def origins(self, var: str) -> list[str]:
        """Read web origins, with commas between several."""
        origins: list[str] = self.list(var, default=[])
        for origin in origins:
            if not re.fullmatch(r"https?://[\w.*:\[\]-]+", origin):
                raise _wrong(
                    var, origin, "origins with their scheme and without a path, such as https://mines.example.org"
                )
        return origins

    def tiles(self, var: str) -> str:
        """Read a URL template of map tiles; empty for none."""
        text: str = self.str(var, default="")
        if text and not all(part in text for part in ("{z}", "{x}", "{y}")):
            raise _wrong(var, text, "a URL with {z}, {x} and {y}, such as https://tile.example.org/{z}/{x}/{y}.png")
        return text

    def one_of(self, var: str, default: str, beginnings: tuple[str, ...], example: str) -> str:
        """Read a URL that begins in one of some ways."""
        text: str = self.str(var, default="") or default
        if not text.startswith(beginnings):
            # The scheme alone: the rest may hold a password.
            raise _wrong(var, text.partition(":")[0] + ":...", f"{' or '.join(beginnings)}..., such as {example}")
        return text


def _wrong(var: str, value: str, wanted: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{var} is {value!r}: set it to {wanted} (docs/configuration.md)")
