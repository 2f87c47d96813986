from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference.core.errors import InferenceError
from inference.services.dispatch import promote_model
from inference.services.registry import model_named


class Command(BaseCommand):
    help = "Let a model serve every type everywhere. The model that served before is kept for the way back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", metavar="MODEL", help="its name, such as baseline-1")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            entry = promote_model(model=model_named(options["model"]))
        except InferenceError as error:
            raise CommandError(str(error)) from error
        before = f"; {entry.previous} is kept for the way back" if entry.previous else ""
        self.stdout.write(f"{entry.model} serves{before}")
