"""Seed datasets in: a file becomes claims of its source, all of them or none."""

from labelling.services.seeds.importing import KINDS, SeedReport, import_seeds, stop_at_refusals

__all__ = ["KINDS", "SeedReport", "import_seeds", "stop_at_refusals"]
