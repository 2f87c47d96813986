"""How commands are told which recipe to use."""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.utils.text import slugify

from training.core.plan import PRESETS, Plan, preset, read_plan

SETTINGS = ("epochs", "batch", "patience", "seed", "architecture")


def add_recipe_options(parser: ArgumentParser) -> None:
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--recipe", type=Path, metavar="FILE", help="JSON; may name a preset and what differs from it")
    choice.add_argument("--preset", metavar="NAME", help=", ".join(PRESETS))


def add_settings_options(parser: ArgumentParser) -> None:
    parser.add_argument("--epochs", type=int, help="at most, instead of the recipe's")
    parser.add_argument("--batch", type=int, help="chips per step")
    parser.add_argument("--patience", type=int, help="stop after so many epochs without a better validation")
    parser.add_argument("--seed", type=int, help="of weights, order and augmentation")
    parser.add_argument("--architecture", help="such as yolo11n.yaml, or weights an admin put into the weights folder")


def chosen_plan(options: dict[str, Any]) -> tuple[str, Plan]:
    """The plan that was asked for, and a name for what comes of it.

    Raises:
        BadRecipe: no such preset or file, or a value that makes no sense.
    """
    if options["recipe"] is not None:
        name, plan = slugify(options["recipe"].stem) or "recipe", read_plan(options["recipe"])
    else:
        name, plan = options["preset"], preset(options["preset"])
    given = {key: options[key] for key in SETTINGS if options.get(key) is not None}
    return name, replace(plan, settings=replace(plan.settings, **given))
