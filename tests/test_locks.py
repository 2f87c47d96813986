"""requirements/*.txt against pyproject.toml: whole, hashed, and free of the machine that they were made on."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

HOUSE = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = {"web": [], "worker": ["worker"], "dev": ["worker", "dev"]}


def text_of(lock: str) -> str:
    return (HOUSE / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")


def pins(lock: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)==(\S+)", text_of(lock), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


@pytest.mark.parametrize("lock", EXTRAS)
def test_a_lock_holds_what_the_project_asks_for(lock: str) -> None:
    asked = [*PROJECT["dependencies"]]
    for extra in EXTRAS[lock]:
        asked += PROJECT["optional-dependencies"][extra]
    pinned = pins(lock)
    for requirement in map(Requirement, asked):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in {lock}.txt: run make lock"
        assert requirement.specifier.contains(Version(version)), (
            f"{requirement}, but {version} is locked: run make lock"
        )


@pytest.mark.parametrize("lock", EXTRAS)
def test_every_entry_has_hashes_and_nothing_of_a_machine(lock: str) -> None:
    text = text_of(lock)
    entries = re.split(r"\n(?=[\w.-]+==)", "\n" + text)[1:]
    assert len(entries) == len(pins(lock))
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert not re.search(r"://|^-|file:/|/home/|/opt/|==\S*\+", text, re.MULTILINE)


def test_each_lock_holds_the_one_before_it() -> None:
    assert pins("web").items() <= pins("worker").items() <= pins("dev").items()


def test_only_the_workers_have_torch() -> None:
    heavy = {"torch", "torchvision", "ultralytics", "triton"}
    assert not heavy & set(pins("web"))
    assert heavy <= set(pins("worker"))


def without_cuda(cpu: str) -> dict[str, str]:
    """What .ci/setup installs where CUDA is not wanted, by its own awk program."""
    program = re.search(r"awk '(.*?)'", (HOUSE / ".ci/setup").read_text(encoding="utf-8"), re.DOTALL)
    assert program is not None
    command = ["awk", program[1], f"cpu={cpu}", str(HOUSE / "requirements/worker.txt")]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert text.count("--hash") > 300
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def test_without_cuda_torch_comes_from_elsewhere_or_without_its_libraries() -> None:
    everything, on_macos, on_cpu = pins("worker"), without_cuda(""), without_cuda("1")
    cuda = set(everything) - {canonicalize_name(name) for name in on_macos}
    assert {"triton", "nvidia-cublas"} <= cuda
    assert all(name.startswith(("nvidia-", "cuda-", "triton")) for name in cuda)
    assert set(on_macos) - set(on_cpu) == {"torch", "torchvision"}


@pytest.mark.parametrize("part", ["web", "worker", "all"])
def test_the_set_up_names_a_lock_that_exists(part: str) -> None:
    lock = {"all": "dev"}.get(part, part)
    assert f"requirements/{lock}.txt".split("/")[1] in {path.name for path in (HOUSE / "requirements").iterdir()}
    assert subprocess.run(["sh", "-n", str(HOUSE / ".ci/setup")], check=False).returncode == 0


def test_a_wrong_part_is_refused() -> None:
    done = subprocess.run([str(HOUSE / ".ci/setup"), "everything"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: .ci/setup [web|worker|all]\n")


def imported(folder: str) -> set[str]:
    """Names of the packages that the modules of a folder import, late or not."""
    names = set()
    for path in (HOUSE / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"mad_web", "labelling", "inference", "training", "tests"}


@pytest.mark.parametrize(
    ("folder", "lock"),
    [("mad_web", "web"), ("labelling", "web"), ("inference", "worker"), ("training", "worker"), ("tests", "dev")],
)
def test_whatever_is_imported_is_locked(folder: str, lock: str) -> None:
    """Else it works only where it happens to be installed."""
    owners = packages_distributions()
    missing = {
        name
        for name in imported(folder)
        if not {canonicalize_name(owner) for owner in owners.get(name, [])} & set(pins(lock))
    }
    assert not missing
