from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference.core.errors import InferenceError
from inference.core.sweep import SweepSettings
from inference.models import DetectionRun
from inference.services.registry import model_named
from inference.services.runs import create_run
from inference.services.selection import read_aoi, select_scenes
from labelling.core.errors import LabellingError
from labelling.models import Job
from labelling.services.waiting import wait_for_job


class Command(BaseCommand):
    help = "Look for mines on scenes, in a worker of the gpu queue; what is found joins the review queue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--aoi", type=Path, metavar="FILE", help="GeoJSON, GeoPackage or Shapefile of an area")
        parser.add_argument(
            "--scenes",
            nargs="+",
            default=[],
            metavar="NAME_OR_ID",
            help="names, numbers, files or folders of catalogued scenes; else all",
        )
        parser.add_argument("--model", metavar="NAME", help="else the models that serve, by the dispatch table")
        parser.add_argument("--min-score", type=float, default=SweepSettings.min_score, help="0 to 1")
        parser.add_argument("--name", default="", help="of the run")
        parser.add_argument("--wait", action="store_true", help="stay until it has ended, and say what it does")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = _order(options)
        except (InferenceError, LabellingError, ValueError) as error:
            raise CommandError(str(error)) from error
        left_out = run.counts["left_out"]
        if left_out:
            self.stderr.write(f"{left_out} scenes are left out: they lack bands that the model needs")
        if not options["wait"]:
            self.stdout.write(f"a worker will do run {run.pk}, {run.name}: job {run.job_id}")
            return
        self._wait(run)

    def _wait(self, run: DetectionRun) -> None:
        try:
            job = wait_for_job(job=run.job, tell=self.stderr.write)
        except KeyboardInterrupt:
            msg = f"no longer waiting: run {run.pk} goes on, cancel it on its page"
            raise CommandError(msg) from None
        if job.state != Job.State.DONE:
            msg = f"{job.title}: {job.state_shown}{f', {job.error}' if job.error else ''}"
            raise CommandError(msg)
        run.refresh_from_db()
        self.stdout.write(_told(run))
        for shard in run.shards.exclude(error="").select_related("scene"):
            self.stderr.write(f"{shard.scene}: {shard.error}")


def _order(options: dict[str, Any]) -> DetectionRun:
    settings = SweepSettings(min_score=options["min_score"])
    aoi = read_aoi(options["aoi"]) if options["aoi"] else None
    return create_run(
        user=None,
        scenes=select_scenes(wanted=options["scenes"], aoi=aoi),
        model=model_named(options["model"]) if options["model"] else None,
        aoi=aoi,
        settings=settings,
        name=options["name"],
    )


def _told(run: DetectionRun) -> str:
    counts = run.counts
    return (
        f"run {run.pk}: found {counts['found']}, proposed {counts['proposed']} (new sites: {counts['sites']}), "
        f"known {counts['known']}, rejected before {counts['rejected_before']}; "
        f"scenes {run.shards.count()}, failed {run.job.result['failed']}, windows {counts['windows']}"
    )
