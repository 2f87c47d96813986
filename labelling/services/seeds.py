"""Seed datasets in: a file becomes claims of its source, all of them or none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from labelling.core.blobs import sha256_of
from labelling.core.errors import BadInput
from labelling.core.formats import Table, read_vector
from labelling.core.seed_mapping import SeedMapping, Vocabulary
from labelling.core.seeds import Refusal, SeedPlan, join_tables, plan_seeds
from labelling.models import MineType, SeedImport, Source
from labelling.services.sites import Placed, place_claims

KINDS = (Source.Kind.COBALT, Source.Kind.LABELLED, Source.Kind.POLYGONS, Source.Kind.NEGATIVES)
KEPT_REFUSALS = 1000


@dataclass(frozen=True)
class SeedReport:
    """What an import did, or would do.

    Attributes:
        rows: rows in the file.
        claims: places that its rows speak of; more than rows where a multipolygon holds several.
        added: new proposals.
        known: claims that the source had made before.
        sites: new sites.
        merged: claims that joined another one's site.
        repaired: numbers of the rows whose geometry was repaired.
        split: rows that speak of several places.
        typed, untyped: rows taken with and without a type.
        left_out: rows that the mapping says are no mines.
        empty: rows of a polygon set without a polygon: nothing was mapped there.
        unmapped: "column: value" -> rows, for values that no table knows.
        refused: rows that were not taken.
        dry_run: nothing was written.
    """

    rows: int
    claims: int
    added: int
    known: int
    sites: int
    merged: int
    repaired: tuple[int, ...]
    split: int
    typed: int
    untyped: int
    left_out: int
    empty: int
    unmapped: Mapping[str, int]
    refused: tuple[Refusal, ...]
    dry_run: bool

    def __str__(self) -> str:
        """One line for people."""
        return ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in self.counts().items())

    def counts(self) -> dict[str, int]:
        """The figures, for a table or a row of the database."""
        return {
            "rows": self.rows,
            "added": self.added,
            "known": self.known,
            "sites": self.sites,
            "merged": self.merged,
            "repaired": len(self.repaired),
            "split": self.split,
            "typed": self.typed,
            "untyped": self.untyped,
            "left_out": self.left_out,
            "empty": self.empty,
            "refused": len(self.refused),
        }


def import_seeds(
    *,
    path: Path,
    source_name: str,
    kind: str,
    mapping: str | Mapping[str, Any] | None = None,
    type_code: str = "",
    layer: str | None = None,
    licence: str = "",
    citation: str = "",
    synthetic: bool = False,
    dry_run: bool = False,
    skip_bad_rows: bool = False,
    user: User | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> SeedReport:
    """Import a GeoJSON, GeoPackage or Shapefile of claims. Importing it again adds nothing.

    Args:
        path: the file.
        source_name: names the source; it is made where it is new.
        kind: ``cobalt``, ``labelled``, ``polygons`` or ``negatives``.
        mapping: name of a mapping that ships, or one as JSON; None: only a column ``mine_type`` is read.
        type_code: one mine type for all rows.
        layer: which layer, where the file has several.
        licence: of the source; an empty one leaves what is known.
        citation: of the source; an empty one leaves what is known.
        synthetic: the places are invented.
        dry_run: do everything, report it, and keep nothing.
        skip_bad_rows: import the good rows although others are faulty.
        user: who imports.
        on_progress: is told what is done now.

    Raises:
        BadInput: the file cannot be read, the mapping does not fit it, a type does not exist, the source is
            of another kind, or a row is faulty and ``skip_bad_rows`` is not set; then nothing is written.
            Rows without any geometry are reported and stop nothing.
    """
    tell = on_progress or (lambda _: None)
    words = Vocabulary.of(list(MineType.objects.values_list("code", "name", "axis")))
    columns = SeedMapping.from_json(mapping or {}, words)
    tell(f"reading {path.name}")
    table = _read(path, layer, columns)
    plan = plan_seeds(table, kind=kind, mapping=columns, words=words, type_code=type_code)
    if not skip_bad_rows and not dry_run:
        stop_at_faults(path.name, plan.refused)
    tell(f"placing {len(plan.claims)} claims")
    with transaction.atomic():
        source = _source(source_name, kind, licence, citation, synthetic)
        seed_import = SeedImport.objects.create(
            source=source,
            file_name=path.name[:300],
            layer=table.layer[:200],
            sha256=sha256_of(path),
            mapping=_as_json(mapping, type_code),
            created_by=user,
        )
        placed = place_claims(source=source, claims=plan.claims, seed_import=seed_import)
        report = _report(plan, placed, dry_run)
        _keep(seed_import, report)
        transaction.set_rollback(dry_run)
    return report


def stop_at_faults(file: str, refused: list[Refusal] | tuple[Refusal, ...]) -> None:
    """Refuse a file for its first faulty row.

    Raises:
        BadInput: there is one; it says how many more there are.
    """
    faults = [refusal for refusal in refused if refusal.is_fault]
    if faults:
        more = f" (and {len(faults) - 1} more rows)" if len(faults) > 1 else ""
        msg = f"{faults[0].reason}{more}; nothing was imported, --skip-bad-rows takes the other rows"
        raise BadInput(msg, file=file, row=faults[0].row)


def _read(path: Path, layer: str | None, columns: SeedMapping) -> Table:
    table = read_vector(path, layer=layer)
    if not columns.join_layer:
        return table
    return join_tables(table, read_vector(path, layer=columns.join_layer), columns.join_on)


def _source(name: str, kind: str, licence: str, citation: str, synthetic: bool) -> Source:
    if not name.strip() or len(name) > 120:
        msg = "name the source, in up to 120 characters (--source)"
        raise BadInput(msg)
    if kind not in KINDS:
        msg = f"no kind {kind!r}; the kinds are {', '.join(KINDS)}"
        raise BadInput(msg)
    source, _ = Source.objects.get_or_create(name=name, defaults={"kind": kind, "synthetic": synthetic})
    if source.kind != kind or source.synthetic != synthetic:
        had = f"{'synthetic ' if source.synthetic else ''}{source.kind}"
        msg = f"the source {name!r} is of the kind {had}: give this one another name"
        raise BadInput(msg)
    source.licence, source.citation = licence or source.licence, citation or source.citation
    source.save(update_fields=["licence", "citation"])
    return source


def _as_json(mapping: str | Mapping[str, Any] | None, type_code: str) -> dict[str, Any]:
    used: dict[str, Any] = {"shipped": mapping} if isinstance(mapping, str) else dict(mapping or {})
    return {**used, "type": type_code} if type_code else used


def _keep(seed_import: SeedImport, report: SeedReport) -> None:
    """Write the outcome into the import's row; an import that added nothing to an earlier one leaves no row."""
    earlier = SeedImport.objects.filter(
        source=seed_import.source, sha256=seed_import.sha256, layer=seed_import.layer
    ).exclude(pk=seed_import.pk)
    if not report.added and earlier.exists():
        seed_import.delete()
        return
    seed_import.counts = report.counts()
    seed_import.refused = [{"row": refusal.row, "reason": refusal.reason} for refusal in report.refused[:KEPT_REFUSALS]]
    seed_import.save(update_fields=["counts", "refused"])
    Source.objects.filter(pk=seed_import.source_id).update(mapping=seed_import.mapping)


def _report(plan: SeedPlan, placed: Placed, dry_run: bool) -> SeedReport:
    return SeedReport(
        rows=plan.rows,
        claims=len(plan.claims),
        added=len(placed.proposals),
        known=placed.known,
        sites=placed.sites_created,
        merged=placed.merged,
        repaired=tuple(plan.repaired),
        split=plan.split,
        typed=plan.typed,
        untyped=plan.untyped,
        left_out=plan.left_out,
        empty=plan.empty,
        unmapped={f"{column}: {value}": count for (column, value), count in plan.unmapped.most_common()},
        refused=tuple(plan.refused),
        dry_run=dry_run,
    )
