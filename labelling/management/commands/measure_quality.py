from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labelling.management.terminal import Bar
from labelling.services.quality import measure_scenes


class Command(BaseCommand):
    help = "Measure the scenes that no worker has measured yet: data, clouds, saturation, sharpness, sun."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--anew", action="store_true", help="also those that are measured")

    def handle(self, *args: Any, **options: Any) -> None:
        bar = Bar.on(self.stderr)
        report = measure_scenes(anew=options["anew"], on_progress=bar.count if bar else None)
        for name, fault in sorted(report.faults.items()):
            self.stderr.write(f"{name}: {fault}")
        measured = report.scenes - len(report.faults)
        self.stdout.write(
            f"{measured} scene{'' if measured == 1 else 's'} measured, {len(report.faults)} cannot be read"
        )
        if report.faults:
            raise CommandError("import again what cannot be read, or remove it")
