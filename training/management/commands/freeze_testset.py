from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labelling.models.taxonomy import Axis
from training.core.errors import TrainingError
from training.services.testsets import freeze_testset


class Command(BaseCommand):
    help = "Freeze the universal test set: spatial blocks of reviewed ground that never train."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="small letters, digits, dot, dash and underscore")
        parser.add_argument("--axis", choices=Axis.values, default=Axis.FEATURE.value)
        parser.add_argument("--block-m", type=float, default=20_000.0, help="side of a block, metres")
        parser.add_argument("--buffer-m", type=float, default=2_000.0, help="nothing so near to a block trains, metres")
        parser.add_argument("--share", type=float, default=0.2, help="wanted share of the labels, up to 0.5")
        parser.add_argument("--seed", type=int, default=0, help="decides between blocks that are equally good")

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("name", "axis", "block_m", "buffer_m", "share", "seed")
        try:
            testset = freeze_testset(**{name: options[name] for name in names})
        except TrainingError as error:
            raise CommandError(str(error)) from error
        counts = testset.counts
        self.stdout.write(
            f"froze {testset.name}: {counts['labels']} of {counts['labels_everywhere']} labels in {counts['blocks']} "
            f"blocks, {counts['empty_blocks']} blocks without a mine, SHA-256 {testset.checksum}"
        )
        for code, count in sorted(counts["types"].items()):
            self.stdout.write(f"  {code}: {count}")
        for code, count in sorted(counts["types_not_tested"].items()):
            self.stdout.write(f"  {code}: not tested, its {count} labels lie too near to each other")
