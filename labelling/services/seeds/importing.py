"""A seed file in, at once: read, planned, compared with what its source says, and written or not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from labelling.core.blobs import sha256_of
from labelling.core.errors import BadInput
from labelling.core.formats import Table, named, read_vector
from labelling.core.seed_diff import SeedDiff
from labelling.core.seed_mapping import SeedMapping
from labelling.core.seeds import Refusal, SeedPlan, join_tables, plan_seeds
from labelling.core.vocabulary import Vocabulary
from labelling.models import MineType, SeedImport, Source
from labelling.services.seeds.versions import Written, compare_plan, write_diff

KINDS = (Source.Kind.COBALT, Source.Kind.LABELLED, Source.Kind.POLYGONS, Source.Kind.NEGATIVES)
KEPT_REFUSALS = 1000


@dataclass(frozen=True)
class SeedReport:
    """What an import did, or would do.

    Attributes:
        rows: rows in the file.
        claims: places that its rows speak of; more than rows where a multipolygon holds several.
        added: claims that the source did not make.
        known: claims that it makes just so.
        changed: claims that it made otherwise; each is a new proposal that stands instead.
        retired: claims that it has taken back, where the file is the whole source.
        missing: claims that the file does not hold and that stand all the same.
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
        import_id: its row; None where nothing was written, or nothing was new.
    """

    rows: int
    claims: int
    added: int
    known: int
    changed: int
    retired: int
    missing: int
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
    import_id: int | None = None

    def __str__(self) -> str:
        """One line for people."""
        return ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in self.counts().items())

    def counts(self) -> dict[str, int]:
        """The figures, for a table or a row of the database."""
        return {
            "rows": self.rows,
            "added": self.added,
            "known": self.known,
            "changed": self.changed,
            "retired": self.retired,
            "missing": self.missing,
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
    is_whole: bool = False,
    dry_run: bool = False,
    skip_bad_rows: bool = False,
    file_name: str = "",
    user: User | None = None,
    on_progress: Callable[[str], None] | None = None,
    on_written: Callable[[SeedReport], None] | None = None,
) -> SeedReport:
    """Import a file of claims. Importing it again adds nothing; what it says otherwise than before is replaced.

    Args:
        path: the file, in one of the formats of ``labelling.core.formats``.
        source_name: names the source; it is made where it is new.
        kind: ``cobalt``, ``labelled``, ``polygons`` or ``negatives``.
        mapping: name of a mapping that ships, or one as JSON; None: only a column ``mine_type`` is read.
        type_code: one mine type for all rows.
        layer: which layer or sheet, where the file has several.
        licence: of the source; an empty one leaves what is known.
        citation: of the source; an empty one leaves what is known.
        synthetic: the places are invented.
        is_whole: the file is all that the source says: claims that it does not hold are taken back.
        dry_run: do everything, report it, and keep nothing.
        skip_bad_rows: import the good rows although others are refused.
        file_name: as people call it; empty: the name of ``path``.
        user: who imports.
        on_progress: is told what is done now; where it raises, nothing is written.
        on_written: is told the outcome within the transaction; what it writes stands or falls with the import.

    Raises:
        BadInput: the file cannot be read, the mapping does not fit it, a type does not exist, the source is
            of another kind, or a row is refused and ``skip_bad_rows`` is not set; then nothing is written.
    """
    tell = on_progress or (lambda _: None)
    name = file_name or path.name
    tell(f"reading {name}")
    try:
        table, plan = read_plan(path=path, kind=kind, mapping=mapping, type_code=type_code, layer=layer)
    except BadInput as error:
        raise (named(error, name) if error.file == path.name else error) from error
    if not skip_bad_rows and not dry_run:
        stop_at_refusals(name, plan.refused)
    tell(f"placing {len(plan.claims)} claims")
    with transaction.atomic():
        source = _source(source_name, kind, licence, citation, synthetic)
        seed_import = SeedImport.objects.create(
            source=source,
            file_name=name[:300],
            layer=table.layer[:200],
            sha256=sha256_of(path),
            mapping=_as_json(mapping, type_code),
            is_whole=is_whole,
            created_by=user,
        )
        diff = compare_plan(source=source, plan=plan)
        report = _report(plan, diff, write_diff(diff=diff, seed_import=seed_import), dry_run)
        kept = _keep(seed_import, report)
        report = replace(report, import_id=seed_import.pk if kept and not dry_run else None)
        if on_written:
            on_written(report)
        transaction.set_rollback(dry_run)
    return report


def read_plan(
    *, path: Path, kind: str, mapping: str | Mapping[str, Any] | None, type_code: str = "", layer: str | None = None
) -> tuple[Table, SeedPlan]:
    """Read a file and judge its rows; nothing is written, and the database is only asked for the types.

    Args:
        path: the file.
        kind: of the source.
        mapping: name of a mapping that ships, or one as JSON.
        type_code: one mine type for all rows.
        layer: which layer or sheet.

    Raises:
        BadInput: the file cannot be read, the mapping does not fit it, or a type does not exist.
    """
    words = vocabulary()
    columns = SeedMapping.from_json(mapping or {}, words)
    table = read_table(path=path, mapping=columns, layer=layer)
    return table, plan_seeds(table, kind=kind, mapping=columns, words=words, type_code=type_code)


def read_table(*, path: Path, mapping: SeedMapping, layer: str | None = None) -> Table:
    """Read a file as a mapping says.

    Args:
        path: the file.
        mapping: how to read it, and what to join to it.
        layer: which layer or sheet.

    Raises:
        BadInput: the file cannot be read.
    """
    table = read_vector(path, layer=layer, reading=mapping.reading)
    if not mapping.join_layer:
        return table
    return join_tables(table, read_vector(path, layer=mapping.join_layer), mapping.join_on)


def vocabulary() -> Vocabulary:
    """The types that exist now."""
    return Vocabulary.of(list(MineType.objects.values_list("code", "name", "axis")))


def stop_at_refusals(file: str, refused: Sequence[Refusal]) -> None:
    """Refuse a file for its first row that is not taken.

    Raises:
        BadInput: there is one; it says how many more there are.
    """
    if refused:
        more = f" (and {len(refused) - 1} more rows)" if len(refused) > 1 else ""
        msg = f"{refused[0].reason}{more}; nothing was imported, --skip-bad-rows takes the other rows"
        raise BadInput(msg, file=file, row=refused[0].row)


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


def _keep(seed_import: SeedImport, report: SeedReport) -> bool:
    """Write the outcome into the import's row; an import that added nothing to an earlier one leaves no row."""
    earlier = SeedImport.objects.filter(
        source=seed_import.source, sha256=seed_import.sha256, layer=seed_import.layer
    ).exclude(pk=seed_import.pk)
    if not report.added + report.changed + report.retired and earlier.exists():
        seed_import.delete()
        return False
    seed_import.counts = report.counts()
    seed_import.refused = [{"row": refusal.row, "reason": refusal.reason} for refusal in report.refused[:KEPT_REFUSALS]]
    seed_import.save(update_fields=["counts", "refused"])
    Source.objects.filter(pk=seed_import.source_id).update(mapping=seed_import.mapping)
    return True


def _report(plan: SeedPlan, diff: SeedDiff, written: Written, dry_run: bool) -> SeedReport:
    return SeedReport(
        rows=plan.rows,
        claims=len(plan.claims),
        added=len(diff.added),
        known=diff.unchanged,
        changed=len(diff.changed),
        retired=written.retired,
        missing=len(diff.missing) - written.retired,
        sites=written.sites,
        merged=written.merged,
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
