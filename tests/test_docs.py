"""What the documents say: links lead somewhere, files and commands exist, examples are taken by the program."""

import json
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from labelling.core.seed_mapping import SeedMapping
from labelling.core.taxonomy import TAXONOMY
from labelling.core.vocabulary import Vocabulary
from training.core.plan import Plan

HOUSE = Path(__file__).resolve().parents[1]
ROOMS = ("labelling", "inference", "training", "mad_web")
PAGES = sorted([*HOUSE.glob("*.md"), *(HOUSE / "docs").rglob("*.md"), *(HOUSE / room / "README.md" for room in ROOMS)])
TEXTS = {str(page.relative_to(HOUSE)): page.read_text(encoding="utf-8") for page in PAGES}
# Beginnings of paths of ours, as they stand between backticks.
OURS = ("labelling/", "inference/", "training/", "mad_web/", "tests/", "static/", "templates/", "docs/", ".ci/")


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", TEXTS[name])
    lost = [link for link in links if not ((HOUSE / name).parent / link).exists()]
    assert not lost


@pytest.mark.parametrize("name", TEXTS)
def test_files_that_are_named_exist(name: str) -> None:
    named = re.findall(r"`([\w./-]+/[\w.-]*)(?:[: ][^`]*)?`", TEXTS[name])
    lost = [path for path in named if path.startswith(OURS) and not (HOUSE / path).exists()]
    assert not lost


@pytest.mark.parametrize("name", TEXTS)
def test_commands_that_are_named_exist(name: str) -> None:
    known = set(get_commands())
    named = set(re.findall(r"manage\.py ([a-z_]+)\b", TEXTS[name])) - {"help"}
    assert named <= known


@pytest.mark.parametrize("name", TEXTS)
def test_targets_of_make_that_are_named_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (HOUSE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`|&& |\w=\w+ )make ([a-z]+)", TEXTS[name], re.MULTILINE)) <= targets


def example(name: str) -> dict[str, object]:
    found = re.search(r"```json\n(.*?)```", TEXTS[f"docs/howto/{name}"], re.DOTALL)
    assert found is not None
    read: dict[str, object] = json.loads(found[1])
    return read


def test_the_example_of_clean_imagery_is_a_recipe_that_asks_for_more_than_its_preset() -> None:
    given = example("clean-imagery.md")
    recipe = Plan.from_json(given).recipe
    told = recipe.to_json()
    assert given == {"preset": "clean"} | {key: told[key] for key in given if key != "preset"}
    assert recipe != Plan.from_json({"preset": "clean"}).recipe


def test_the_example_of_a_band_set_is_a_recipe() -> None:
    given = example("add-a-band-set.md")
    assert list(Plan.from_json(given).recipe.bands) == given["bands"]


def test_the_example_of_a_mapping_is_a_mapping() -> None:
    words = Vocabulary.of([(spec.code, spec.name, spec.axis) for spec in TAXONOMY])
    mapping = SeedMapping.from_json(example("add-a-seed-format.md"), words)
    assert mapping.id == "OBJECTID"


def test_the_readme_shows_only_screenshots_that_exist_and_all_of_them() -> None:
    shown = set(re.findall(r"docs/screenshots/[\w.-]+", TEXTS["README.md"]))
    assert shown == {str(path.relative_to(HOUSE)) for path in (HOUSE / "docs/screenshots").glob("*.png")}


def test_the_licence_is_the_agpl() -> None:
    text = (HOUSE / "LICENSE").read_text(encoding="utf-8")
    assert text.split()[:4] == ["GNU", "AFFERO", "GENERAL", "PUBLIC"]
    assert "Version 3" in text
    assert 'license = "AGPL-3.0-or-later"' in (HOUSE / "pyproject.toml").read_text(encoding="utf-8")


def test_decisions_are_numbered_in_order_without_gaps() -> None:
    pages = sorted((HOUSE / "docs/decisions").glob("*.md"))
    numbers = [f"{number:04d}" for number in range(1, len(pages) + 1)]
    assert [page.name[:4] for page in pages] == numbers
    assert [TEXTS[str(page.relative_to(HOUSE))].split()[1] for page in pages] == numbers


def test_changes_are_kept_under_a_heading() -> None:
    assert "\n## Unreleased\n" in TEXTS["CHANGELOG.md"]
