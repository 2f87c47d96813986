"""When the work of this room is done."""

from celery import shared_task

from labelling.services.jobs import run_job
from training.services.evaluation import TASK as EVALUATE
from training.services.evaluation import run_evaluation
from training.services.experiments import TASK, run_experiment
from training.services.order import TASK as ORDER
from training.services.order import order_if_due, run_order


@shared_task(name=TASK)
def train(job_id: str) -> None:
    """Train a network on the dataset of a recipe."""
    run_job(job_id=job_id, work=lambda job, handle: run_experiment(job=job, handle=handle))


@shared_task(name=EVALUATE)
def evaluate(job_id: str) -> None:
    """Score a model on a test set."""
    run_job(job_id=job_id, work=lambda job, handle: run_evaluation(job=job, handle=handle))


@shared_task(name="training.keep_order")
def keep_order() -> None:
    """Every few minutes: ask for a new order where there is news."""
    order_if_due()


@shared_task(name=ORDER)
def order(job_id: str) -> None:
    """Weigh the open sites anew."""
    run_job(job_id=job_id, work=lambda _job, handle: run_order(handle=handle))
