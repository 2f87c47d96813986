"""When the work of this room is done."""

from celery import shared_task

from labelling.services.jobs import run_job
from training.services.evaluation import TASK as EVALUATE
from training.services.evaluation import run_evaluation
from training.services.experiments import TASK, run_experiment
from training.services.order import TASK as ORDER
from training.services.order import order_if_due, run_order
from training.services.suspects import TASK as SUSPECTS
from training.services.suspects import run_suspects, suspects_if_due
from training.services.type_studies import TASK as TYPES
from training.services.type_studies import run_study


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


@shared_task(name=TYPES)
def propose_types(job_id: str) -> None:
    """Learn the types that people verified and propose them to open sites."""
    run_job(job_id=job_id, work=lambda job, handle: run_study(job=job, handle=handle))


@shared_task(name="training.keep_suspects")
def keep_suspects() -> None:
    """Every few minutes: ask for a look at the labels where there is news."""
    suspects_if_due()


@shared_task(name=SUSPECTS)
def find_suspects(job_id: str) -> None:
    """Look for labels that look wrong."""
    run_job(job_id=job_id, work=lambda _job, handle: run_suspects(handle=handle))
