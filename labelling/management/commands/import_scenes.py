from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labelling.core.errors import BadInput
from labelling.core.scene_mapping import read_mapping
from labelling.core.stac_search import StacSearch
from labelling.management.terminal import Bar, day
from labelling.models import Scene
from labelling.services.scenes import SceneReport, import_scenes

TOLD = 50


class Command(BaseCommand):
    help = (
        "Catalogue imagery: GeoTIFFs, Sentinel-2 SAFE folders, images of other machines and items of STAC catalogues. "
        "What cannot be used is named with the reason; the rest is kept. Killed, the same command goes on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "paths", nargs="*", help="files, folders, SAFE folders, patterns, https://..., s3://bucket/prefix"
        )
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
        parser.add_argument("--processes", type=int, help="how many read side by side; else by the processors")
        stac = parser.add_argument_group("STAC")
        stac.add_argument("--stac", metavar="URL", help="an API, or a catalog.json here or elsewhere")
        stac.add_argument("--collection", action="append", default=[], help="id of a collection; may be repeated")
        stac.add_argument("--bbox", nargs=4, metavar=("WEST", "SOUTH", "EAST", "NORTH"), help="degrees")
        stac.add_argument("--since", type=day, help="first day, such as 2022-01-01")
        stac.add_argument("--until", type=day, help="last day")
        stac.add_argument("--max-cloud", type=float, help="highest cloud cover, per cent")
        stac.add_argument("--most", type=int, default=100_000, help="so many items at most")

    def handle(self, *args: Any, **options: Any) -> None:
        sources = [*options["paths"]]
        if options["stac"]:
            sources.append({"stac": _search(options).to_json()})
        if not sources:
            raise CommandError("name files, folders or addresses, or a catalogue with --stac")
        try:
            mapping = read_mapping(options["mapping"]) if options["mapping"] else None
        except BadInput as error:
            raise CommandError(str(error)) from error
        said = {key: options[key] for key in ("kind", "sensor", "level", "convert", "synthetic", "processes")}
        bar = Bar.on(self.stderr)
        report = import_scenes(paths=sources, mapping=mapping, on_progress=bar.count if bar else None, **said)
        self.tell(report)
        if report.refused:
            raise CommandError(f"{len(report.refused)} refused; what was not refused is in the catalogue")

    def tell(self, report: SceneReport) -> None:
        for refusal in report.refused[:TOLD]:
            self.stderr.write(f"refused {refusal.file}: {refusal.reason}")
        if len(report.refused) > TOLD:
            self.stderr.write(f"and {len(report.refused) - TOLD} more, on the page of the import")
        self.stdout.write(
            f"{_scenes(report.count('added'))} added, {report.count('updated')} updated, {report.known} known, "
            f"{len(report.refused)} refused"
        )
        if report.slow:
            self.stdout.write(
                f"{_scenes(report.slow, 'large ')} without overviews, so that low zooms are slow: "
                "import again with --convert for cloud-optimised copies"
            )


def _search(options: dict[str, Any]) -> StacSearch:
    try:
        return StacSearch(
            url=options["stac"],
            collections=tuple(options["collection"]),
            bbox=StacSearch.box_of(",".join(options["bbox"] or ())),
            since=options["since"],
            until=options["until"] and options["until"].replace(hour=23, minute=59, second=59),
            max_cloud=options["max_cloud"],
            most=options["most"],
        )
    except BadInput as error:
        raise CommandError(str(error)) from error


def _scenes(count: int, what: str = "") -> str:
    return f"{count} {what}scene{'' if count == 1 else 's'}"
