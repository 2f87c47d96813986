from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labelling.core.errors import LabellingError
from labelling.services.regions import import_regions


class Command(BaseCommand):
    help = "Import the RESOLVE ecoregions and give every site its region. Importing them again adds nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="Ecoregions2017.shp, or the same as .zip, GeoPackage or GeoJSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = import_regions(path=options["file"])
        except LabellingError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{options['file'].name}: {report.added} regions added, {report.known} known, "
            f"{report.sites} sites have a new region"
        )
