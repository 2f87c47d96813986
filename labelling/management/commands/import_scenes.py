import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labelling.core.errors import BadInput
from labelling.core.scene_mapping import read_mapping
from labelling.models import Scene
from labelling.services.scenes import SceneReport, import_scenes


class Command(BaseCommand):
    help = "Catalogue GeoTIFFs. Files that cannot be used are named with the reason; the others are kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", help="files, folders or patterns")
        parser.add_argument("--kind", choices=Scene.Kind.values, default=Scene.Kind.SINGLE)
        parser.add_argument("--sensor", default="", help="such as sentinel-2-l2a; else what the file says")
        parser.add_argument("--level", choices=["L1C", "L2A"], default="", help="else what the file says")
        parser.add_argument(
            "--mapping",
            type=Path,
            help='JSON of what the files do not say: {"bands": ["B02"], "scale": 0.0001, "offset": -0.1, "nodata": 0}',
        )
        parser.add_argument("--convert", action="store_true", help="catalogue cloud-optimised copies")
        parser.add_argument("--synthetic", action="store_true", help="the imagery was made up")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            mapping = read_mapping(options["mapping"]) if options["mapping"] else None
        except BadInput as error:
            raise CommandError(str(error)) from error
        report = import_scenes(
            mapping=mapping,
            on_progress=self.show_progress if sys.stderr.isatty() else None,
            **{key: options[key] for key in ("paths", "kind", "sensor", "level", "convert", "synthetic")},
        )
        self.tell(report)
        if report.refused:
            raise CommandError(f"{len(report.refused)} refused; what was not refused is in the catalogue")

    def show_progress(self, done: int, total: int) -> None:
        self.stderr.write(f"\r{done} of {total}", ending="\n" if done == total else "")
        self.stderr.flush()

    def tell(self, report: SceneReport) -> None:
        for refusal in report.refused:
            self.stderr.write(f"refused {refusal.file}: {refusal.reason}")
        self.stdout.write(
            f"{_scenes(len(report.added))} added, {len(report.updated)} updated, {report.known} known, "
            f"{len(report.refused)} refused"
        )
        if report.slow:
            self.stdout.write(
                f"{_scenes(len(report.slow), 'large ')} without overviews, so that low zooms are slow: "
                "import again with --convert for cloud-optimised copies"
            )


def _scenes(count: int, what: str = "") -> str:
    return f"{count} {what}scene{'' if count == 1 else 's'}"
