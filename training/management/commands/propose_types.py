from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labelling.models import Job
from labelling.services.waiting import wait_for_job
from training.core.errors import TrainingError
from training.core.type_study import AXES, FAMILIES, TRUTHS, StudySettings
from training.services.type_studies import start_study

_DEFAULT = StudySettings()


class Command(BaseCommand):
    help = "Learn the types that people verified, judge that honestly, and propose types to open sites."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--axis", choices=AXES, default=_DEFAULT.axis)
        parser.add_argument("--truth", choices=list(TRUTHS), default=_DEFAULT.truth, help="what to learn from")
        parser.add_argument(
            "--features", nargs="+", choices=list(FAMILIES), default=list(_DEFAULT.families), help="what to look at"
        )
        parser.add_argument("--architecture", default="", help="network of timm, for embedding")
        parser.add_argument("--weights", default="", help="its file in the folder of weights, for embedding")
        parser.add_argument("--limit", type=int, default=_DEFAULT.limit, help="open sites to look at; 0 only judges")
        parser.add_argument("--wait", action="store_true", help="stay until it has ended, and say what it does")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = {name: options[name] for name in ("axis", "truth", "architecture", "weights", "limit")}
        try:
            study = start_study(settings=StudySettings(families=tuple(options["features"]), **chosen))
        except TrainingError as error:
            raise CommandError(str(error)) from error
        if not options["wait"]:
            self.stdout.write(f"a worker will do {study.name}: job {study.job_id}")
            return
        job = wait_for_job(job=study.job, tell=self.stderr.write)
        if job.state != Job.State.DONE:
            msg = f"{job.title}: {job.state_shown}{f', {job.error}' if job.error else ''}"
            raise CommandError(msg)
        said = job.result
        self.stdout.write(
            f"{study.name}: right in {said['accuracy']:.1%} of {said['examples']} held-out sites (always the commonest "
            f"type: {said['majority']:.1%}), ECE {said['ece']:.3f}; {said['classifier']} proposals of the "
            f"classifier, {said['neighbours']} of typed neighbours, {said['suspects']} suspect labels"
        )
