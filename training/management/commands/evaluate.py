from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference.core.errors import InferenceError
from inference.services.registry import model_named
from labelling.core.errors import LabellingError
from labelling.models import Job
from labelling.services.waiting import wait_for_job
from training.core.errors import TrainingError
from training.services.evaluation import THRESHOLD, enqueue_evaluation
from training.services.testsets import testset_named


class Command(BaseCommand):
    help = "Score a model on a test set, as every model is scored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="name of the model version")
        parser.add_argument("--testset", help="name of the test set; else the newest")
        parser.add_argument("--threshold", type=float, default=THRESHOLD, help="of precision, recall and F1")
        parser.add_argument("--wait", action="store_true", help="wait for a worker to do it, and print the score")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            job = enqueue_evaluation(
                model=model_named(options["model"]),
                testset=testset_named(options["testset"]),
                threshold=options["threshold"],
            )
        except (LabellingError, InferenceError, TrainingError) as error:
            raise CommandError(str(error)) from error
        if not options["wait"]:
            self.stdout.write(f"a worker will {job.title}: job {job.pk}")
            return
        job = wait_for_job(job=job, tell=self.stderr.write)
        if job.state != Job.State.DONE:
            raise CommandError(f"{job.title}: {job.state_shown} {job.error}".rstrip())
        self.tell(job.result)

    def tell(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{result['model']} on {result['testset']} by {result['evaluator']}")
        for name in ("ap50", "ap50_95", "precision", "recall", "f1"):
            figure = result[name]
            self.stdout.write(f"  {name:10} {'none' if figure is None else f'{figure:.3f}'}")
        at = f"at score {result['threshold']:g}"
        self.stdout.write(f"  {result['predictions']} boxes {at}, {result['truths']} labels")
