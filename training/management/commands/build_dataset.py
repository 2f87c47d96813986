import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labelling.core.errors import LabellingError
from training.core.errors import TrainingError
from training.management.commands._plans import add_recipe_options, chosen_plan
from training.services.datasets import build_dataset


class Command(BaseCommand):
    help = "Write the chips and labels of a recipe as a YOLO dataset; the same recipe and labels give the same files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_recipe_options(parser)
        parser.add_argument("--show", action="store_true", help="print the recipe in full and build nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            _, plan = chosen_plan(options)
            if options["show"]:
                self.stdout.write(json.dumps(plan.to_json(), indent=1))
                return
            dataset = build_dataset(recipe=plan.recipe)
        except (TrainingError, LabellingError) as error:
            raise CommandError(str(error)) from error
        for side, words in (("train", "train"), ("val", "validate")):
            part = dataset.counts[side]
            labels = ", ".join(f"{count} {code}" for code, count in part["labels"].items())
            self.stdout.write(f"{part['chips']} chips {words} ({part['backgrounds']} backgrounds): {labels}")
        for reason, count in dataset.counts["left_out"].items():
            self.stdout.write(f"{count} labels left out: {reason}")
        for reason, count in dataset.counts.get("scenes", {}).get("left_out", {}).items():
            self.stdout.write(f"{count} scenes left out: {reason}")
        self.stdout.write(f"{dataset.folder}")
