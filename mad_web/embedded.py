"""What the embedded default needs before Django can start: a secret of its own and an SQLite that can."""

import secrets
import sqlite3
from importlib import import_module
from pathlib import Path
from types import ModuleType


def embedded_secret(home: Path) -> str:
    """Read this installation's secret key, making it on the first start."""
    file = home / "secret-key"
    if not file.exists():
        home.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(f".{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(64))
        try:
            file.hardlink_to(fresh)  # fails where another process was first: then its key stands
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return file.read_text().strip()


def loadable_sqlite(modules: dict[str, ModuleType]) -> None:
    """Put an sqlite3 in place that may load extensions: some Pythons are built without."""
    if not hasattr(sqlite3.Connection, "enable_load_extension"):
        modules["sqlite3"] = modules["sqlite3.dbapi2"] = import_module("pysqlite3")
        modules["sqlite3.dbapi2"] = import_module("pysqlite3.dbapi2")


def spatialite_library() -> str:
    """Name SpatiaLite for SQLite to load; Homebrew keeps it where no loader looks."""
    homebrew = (Path(prefix) / "lib" / "mod_spatialite.dylib" for prefix in ("/opt/homebrew", "/usr/local"))
    return next((str(path) for path in homebrew if path.is_file()), "mod_spatialite")
