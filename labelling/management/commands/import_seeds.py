import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labelling.core.crosswalks import MAPPINGS
from labelling.core.errors import BadInput, LabellingError
from labelling.services.seeds import KINDS, SeedReport, import_seeds, stop_at_refusals

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Import a seed dataset: GeoJSON, GeoPackage, Shapefile, FlatGeobuf, GeoParquet, CSV or XLSX. "
        "Importing a file again adds nothing; of a changed one, what changed is replaced."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", required=True, help="name of the source")
        parser.add_argument("--kind", required=True, choices=[str(kind) for kind in KINDS])
        parser.add_argument(
            "--mapping",
            default="",
            help=f"JSON file, or one that ships: {', '.join(MAPPINGS)} (docs/howto/add-a-seed-format.md)",
        )
        parser.add_argument("--type", default="", metavar="CODE", help="one mine type for all rows")
        parser.add_argument("--layer", help="name of the layer, where the file has several")
        parser.add_argument("--licence", default="")
        parser.add_argument("--citation", default="")
        parser.add_argument("--skip-bad-rows", action="store_true", help="import the good rows although others are bad")
        parser.add_argument(
            "--whole-source",
            action="store_true",
            help="the file is the new version of all that the source says: claims that it does not hold are taken back",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        try:
            report = import_seeds(
                path=file,
                source_name=options["source"],
                kind=options["kind"],
                mapping=_mapping(options["mapping"]),
                type_code=options["type"],
                layer=options["layer"],
                is_whole=options["whole_source"],
                licence=options["licence"],
                citation=options["citation"],
                dry_run=options["dry_run"],
                skip_bad_rows=options["skip_bad_rows"],
                on_progress=self.stderr.write if options["verbosity"] > 1 else None,
            )
            self._show(file.name, report)
            if options["dry_run"] and not options["skip_bad_rows"]:
                stop_at_refusals(file.name, report.refused)
        except LabellingError as error:
            raise CommandError(str(error)) from error

    def _show(self, name: str, report: SeedReport) -> None:
        for refusal in report.refused[:SHOWN]:
            self.stdout.write(f"{name}, row {refusal.row}: {refusal.reason}")
        if len(report.refused) > SHOWN:
            self.stdout.write(f"{name}: {len(report.refused) - SHOWN} more rows refused")
        if report.repaired:
            rows = ", ".join(map(str, report.repaired[:SHOWN]))
            self.stdout.write(f"{name}: geometry repaired in row {rows}{', ...' if report.repaired[SHOWN:] else ''}")
        for value, count in list(report.unmapped.items())[:SHOWN]:
            self.stdout.write(f"{name}: {count} rows with {value} have no type in the mapping")
        if report.missing:
            kept = f"{report.missing} claims of the source are not in it and stand; --whole-source takes them back"
            self.stdout.write(f"{name}: {kept}")
        self.stdout.write(f"{name}: {'would be ' if report.dry_run else ''}imported: {report}")


def _mapping(text: str) -> Any:
    """A mapping that ships by its name, another one from its file."""
    if not text or text in MAPPINGS:
        return text or None
    path = Path(text)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"no such mapping: it is neither a file nor one of {', '.join(MAPPINGS)}"
        raise BadInput(msg, file=text) from error
    except (ValueError, RecursionError) as error:
        msg = f"not JSON: {error}"
        raise BadInput(msg, file=path.name) from error
