import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mad_web.summary import summarise


class Command(BaseCommand):
    help = "Count scenes, sites, proposals, decisions, labels, models, runs and snapshots."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        counts = summarise()
        if options["json"]:
            self.stdout.write(json.dumps(counts, indent=2))
            return
        for name, value in counts.items():
            parts = value.items() if isinstance(value, dict) else [("", value)]
            for part, count in parts:
                self.stdout.write(f"{name} {part}".rstrip().ljust(60) + f"{count:>10}")
