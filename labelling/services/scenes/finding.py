"""Find scenes by what people call them."""

import os
from pathlib import Path

from labelling.models import Scene


def scenes_called(text: str) -> list[Scene]:
    """Find scenes by a name, a number, or the path of a file or folder; none where nothing is called so."""
    everything = Scene.objects.all()
    found = list(everything.filter(name=text))
    if not found and text.isdecimal():
        found = list(everything.filter(pk=int(text)))
    if not found and os.sep in text:
        path = str(Path(text).resolve())
        found = list(everything.filter(uri=path) | everything.filter(uri__startswith=f"{path}/"))
    return found
