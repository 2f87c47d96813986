from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labelling.core.errors import LabellingError
from labelling.models import Job
from labelling.services.waiting import wait_for_job
from training.core.errors import TrainingError
from training.management.commands._plans import add_recipe_options, add_settings_options, chosen_plan
from training.services.costs import estimate_cost
from training.services.experiments import start_experiment


class Command(BaseCommand):
    help = "Train a network on the verified labels, in a worker of the gpu queue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_recipe_options(parser)
        add_settings_options(parser)
        parser.add_argument("--name", help="of the experiment and its model; it gets a number")
        parser.add_argument("--wait", action="store_true", help="stay until it has ended, and say what it does")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            name, plan = chosen_plan(options)
            cost = estimate_cost(plan=plan)
            experiment = start_experiment(plan=plan, name=options["name"] or name)
        except (TrainingError, LabellingError) as error:
            raise CommandError(str(error)) from error
        minutes = max(1, round(cost.seconds / 60))
        about = "measured here" if cost.measured else "a stated figure for two cores; less on a GPU"
        self.stderr.write(
            f"{experiment.name}: {cost.labels} labels, up to {cost.chips} chips ({cost.megabytes:.0f} MB) "
            f"and {minutes} min ({about})"
        )
        if not options["wait"]:
            self.stdout.write(f"a worker will train {experiment.name}: job {experiment.job_id}")
            return
        self._wait(experiment.job)

    def _wait(self, job: Job) -> None:
        try:
            job = wait_for_job(job=job, tell=self.stderr.write)
        except KeyboardInterrupt:
            msg = f"no longer waiting: job {job.pk} goes on, cancel it on its page"
            raise CommandError(msg) from None
        if job.state != Job.State.DONE:
            msg = f"{job.title}: {job.state_shown}{f', {job.error}' if job.error else ''}"
            raise CommandError(msg)
        result = job.result
        best = (
            f", mAP50 {result['metrics']['mAP50']:.3f} on its validation chips" if "mAP50" in result["metrics"] else ""
        )
        self.stdout.write(
            f"model {result['model']} after {result['epochs']} epochs in {result['seconds']:.0f} s "
            f"on {result['device']}{best}"
        )
