"""A child that does what its spec says, for test_children.py."""

import os
import subprocess
import sys
import time
from typing import Any

from labelling.core.child import Emit, child_main


def work(spec: dict[str, Any], emit: Emit) -> None:
    emit({"event": "progress", "phase": "counting", "progress": 0.5})
    if "echo" in spec:
        emit({"event": "echo", "value": spec["echo"], "secret": os.environ.get("SECRET_KEY", "none")})
        print("a library's chatter")  # noqa: T201
    if "fail" in spec:
        raise ValueError(spec["fail"])
    if "crash" in spec:
        raise RuntimeError(spec["crash"])
    if "sleep" in spec:
        grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        emit({"event": "pids", "child": os.getpid(), "grandchild": grandchild.pid})
        time.sleep(spec["sleep"])


if __name__ == "__main__":
    child_main(work, expected=ValueError)
