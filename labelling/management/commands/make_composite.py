from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from shapely.geometry.base import BaseGeometry

from labelling.core.campaigns import read_area
from labelling.core.composite import METHODS
from labelling.core.errors import BadInput, LabellingError
from labelling.management.terminal import Bar, day
from labelling.services.composites import (
    CompositeOrder,
    choose_scenes,
    make_composite,
    order_composite,
    place_of,
    plan_order,
)


class Command(BaseCommand):
    help = (
        "Put several scenes of the same ground together, pixel by pixel, by what the masks trust of each, "
        "and catalogue the result as a scene of its own. Levels L1C and L2A are never mixed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--scenes",
            nargs="+",
            default=[],
            metavar="NAME_OR_ID",
            help="names, numbers, files or folders of catalogued scenes",
        )
        parser.add_argument(
            "--area", type=Path, metavar="FILE", help="GeoJSON; all scenes that touch it, cut to its box"
        )
        parser.add_argument("--since", type=day, help="first day, such as 2022-01-01")
        parser.add_argument("--until", type=day, help="last day")
        parser.add_argument("--level", choices=["L1C", "L2A"], default="", help="only scenes of this level")
        parser.add_argument("--method", choices=METHODS, default=METHODS[0])
        place = parser.add_mutually_exclusive_group(required=True)
        place.add_argument("--name", help="of the new scene, kept in MAD_HOME")
        place.add_argument("--out", type=Path, metavar="FILE", help="the .tif to write, where imagery may lie")
        parser.add_argument("--later", action="store_true", help="leave it to a worker of the cpu queue, see /jobs/")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["scenes"] and not options["area"]:
            raise CommandError("name the scenes with --scenes, or a file of an area with --area")
        try:
            order = _order(options)
            if options["later"]:
                job = order_composite(order=order, user=None)
                self.stdout.write(f"a worker will make {Path(order.target).name} of {_scenes(order)}: job {job.pk}")
                return
            bar = Bar.on(self.stderr)
            scene = make_composite(order=order, on_progress=bar.share if bar else None)
        except (LabellingError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{scene.name}: {order.method} of {_scenes(order)}, scene {scene.pk}, {scene.uri}")


def _order(options: dict[str, Any]) -> CompositeOrder:
    area = _area(options["area"]) if options["area"] else None
    until = options["until"] and options["until"] + timedelta(days=1, microseconds=-1)
    scenes = choose_scenes(
        wanted=options["scenes"], area=area, since=options["since"], until=until, level=options["level"]
    )
    target = options["out"] or place_of(options["name"])
    return plan_order(scenes=scenes, method=options["method"], target=target, area=area)


def _area(file: Path) -> BaseGeometry:
    try:
        return read_area(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"cannot be read as GeoJSON: {error}"
        raise BadInput(msg, file=file.name) from error


def _scenes(order: CompositeOrder) -> str:
    return f"{len(order.scenes)} scenes"
