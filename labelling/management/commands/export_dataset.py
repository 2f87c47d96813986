from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labelling.core.errors import LabellingError
from labelling.core.export import FORMATS, STATES, VERIFIED, ExportSettings
from labelling.models import Snapshot
from labelling.models.taxonomy import Axis
from labelling.services.snapshots import begin_snapshot, check_out, copy_snapshot, write_snapshot


class Command(BaseCommand):
    help = "Export verified labels as a dataset: files, data card, licences, and a manifest with hashes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=FORMATS, required=True)
        parser.add_argument("--out", type=Path, required=True, help="a folder that does not exist yet, or is empty")
        parser.add_argument("--name", default="", help="of the snapshot; else format, day and a number")
        parser.add_argument("--axis", choices=Axis.values, default=Axis.FEATURE.value)
        parser.add_argument(
            "--state", choices=STATES, action="append", help="repeat for more; verified unless asked for; geojson only"
        )
        parser.add_argument("--campaign", default="", help="slug: only what was settled in it")
        parser.add_argument("--type", action="append", default=[], help="code; repeat for more")
        parser.add_argument("--region", type=int, action="append", default=[], help="number of the ecoregion; repeat")
        parser.add_argument("--bands", default="B04,B03,B02", help="of the chips, red first")
        parser.add_argument("--chip-px", type=int, default=640, help="side of a chip, pixels")
        parser.add_argument("--pixel-m", type=float, default=10.0, help="ground size of a pixel, metres")
        parser.add_argument("--outlines", action="store_true", help="yolo: outlines instead of boxes")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            check_out(options["out"])
            snapshot = begin_snapshot(settings=self.settings(options), name=options["name"])
            self.export(snapshot, options["out"])
        except LabellingError as error:
            raise CommandError(str(error)) from error
        counts = snapshot.counts
        chips = f" on {counts['chips']} chips, {counts['empty_chips']} of them empty" if "chips" in counts else ""
        self.stdout.write(f"exported {counts['labels']} labels{chips} as {snapshot.name} to {options['out']}")
        for reason, count in counts["left_out"].items():
            self.stdout.write(f"  left out: {count} {reason}")
        self.stdout.write(f"  SHA-256 of the manifest: {snapshot.sha256}")

    def settings(self, options: dict[str, Any]) -> ExportSettings:
        same = ("format", "axis", "campaign", "chip_px", "pixel_m", "outlines")
        return ExportSettings(
            **{name: options[name] for name in same},
            states=tuple(dict.fromkeys(options["state"] or [VERIFIED])),
            types=tuple(options["type"]),
            regions=tuple(options["region"]),
            bands=tuple(options["bands"].split(",")),
        )

    def export(self, snapshot: Snapshot, out: Path) -> None:
        try:
            write_snapshot(snapshot=snapshot, tell=self.stderr.write)
        finally:
            if not snapshot.is_whole:
                snapshot.delete()
        copy_snapshot(snapshot=snapshot, out=out)
