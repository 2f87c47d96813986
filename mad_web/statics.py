"""Static files, collected where they have changed: hashing and compressing all of them takes seconds at each start."""

import hashlib
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_changed_statics() -> bool:
    """Collect static files unless they are those of the last time.

    Returns:
        Whether there was anything to do.
    """
    stamp = Path(settings.STATIC_ROOT) / "collected-from"
    now = _fingerprint()
    if stamp.is_file() and stamp.read_text() == now:
        return False
    stamp.unlink(missing_ok=True)  # a collection that is interrupted is begun again
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(now)
    return True


def _fingerprint() -> str:
    """A hash of the path, size and time of every source file, and of what collects them."""
    found = hashlib.sha256(f"{version('django')} {version('whitenoise')} {settings.STORAGES}".encode())
    for finder in get_finders():
        for path, storage in sorted(finder.list(None), key=lambda item: item[0]):
            state = Path(storage.path(path)).stat()
            found.update(f"\n{path} {state.st_size} {state.st_mtime_ns}".encode())
    return found.hexdigest()
