"""What a training will cost, said before it starts."""

from dataclasses import dataclass
from statistics import median

from labelling.models import Job
from training.core.plan import Plan
from training.models import Experiment
from training.services.datasets import check_room, dataset_bytes
from training.services.material import gather_material

# Measured with yolo11n on two busy cores of a small server; a GPU needs a small part of it. Stands until a training
# has ended here.
SECONDS_PER_MEGAPIXEL = 5.0
PAST_RUNS = 5


@dataclass(frozen=True)
class Cost:
    """An estimate.

    Attributes:
        labels: verified labels in reviewed areas that may be used.
        types: their types, in the order of the classes.
        chips: at most, backgrounds included.
        megabytes: of the dataset on disk, at most.
        seconds: of the training, if it runs through all its epochs.
        measured: the seconds follow from trainings that ended here, not from a stated figure.
        left_out: labels that cannot be used, by reason.
        scenes: that the chips are cut from.
        scenes_left_out: scenes that the recipe refuses, by reason.
    """

    labels: int
    types: tuple[str, ...]
    chips: int
    megabytes: float
    seconds: float
    measured: bool
    left_out: dict[str, int]
    scenes: int
    scenes_left_out: dict[str, int]


def estimate_cost(*, plan: Plan) -> Cost:
    """Estimate what a plan will cost on the labels of this moment.

    Raises:
        BadRecipe: the recipe names something that does not exist.
        TooFewLabels: there is nothing to train on; says what to do.
        NoRoom: the disk is too full for the dataset.
    """
    material = gather_material(recipe=plan.recipe)
    wanted = len(material.anchors) * plan.recipe.chips_per_label
    size = dataset_bytes(plan.recipe, wanted)
    check_room(size)
    chips = round(wanted / (1 - plan.recipe.backgrounds))
    rate = _measured_rate(plan.settings.architecture)
    work = chips * plan.settings.epochs * megapixels(plan)
    return Cost(
        labels=len(material.anchors),
        types=material.types,
        chips=chips,
        megabytes=size / 1e6,
        seconds=work * (rate or SECONDS_PER_MEGAPIXEL),
        measured=rate is not None,
        left_out=material.left_out,
        scenes=len(material.scenes),
        scenes_left_out=material.scenes_left_out,
    )


def megapixels(plan: Plan) -> float:
    """Size of a chip as the network sees it."""
    return plan.recipe.chip_px**2 / 1e6


def _measured_rate(architecture: str) -> float | None:
    """Seconds per megapixel and epoch of the last trainings of a network that ended here."""
    done = Experiment.objects.filter(job__state=Job.State.DONE, settings__architecture=architecture)
    results = [experiment.job.result for experiment in done.select_related("job").order_by("-pk")[:PAST_RUNS]]
    rates = [result["seconds"] / result["megapixels"] for result in results if result.get("megapixels")]
    return median(rates) if rates else None
