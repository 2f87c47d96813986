"""How good the models are, over time: one line of the front page for each."""

from dataclasses import dataclass
from datetime import datetime

from training.models import Score

_MAX_MODELS = 30


@dataclass(frozen=True)
class Quality:
    """What the evaluator said of one model over a whole test set.

    Attributes:
        model: name of the model version.
        status: candidate, serving or retired.
        testset: name of the test set.
        at: when the model was made.
        ap50: average precision at IoU 0.5; None where the test set had no truth.
        ap50_95: the mean over IoU 0.5 to 0.95.
        truths: labels that it was scored on.
    """

    model: str
    status: str
    testset: str
    at: datetime
    ap50: float | None
    ap50_95: float | None
    truths: int


def quality_over_time() -> tuple[Quality, ...]:
    """The scores of the newest models on the newest test set that scored any, oldest model first.

    Only one test set at a time: figures of two are not comparable.
    """
    whole = Score.objects.filter(slice_kind="all").select_related("model", "testset")
    newest = whole.order_by("-testset__created_at").first()
    if newest is None:
        return ()
    scores = whole.filter(testset=newest.testset_id).order_by("-model__created_at", "-created_at")[:_MAX_MODELS]
    by_model = {score.model_id: score for score in reversed(scores)}
    return tuple(
        Quality(
            model=score.model.name,
            status=score.model.status,
            testset=score.testset.name,
            at=score.model.created_at,
            ap50=score.ap50,
            ap50_95=score.ap50_95,
            truths=score.truths,
        )
        for score in by_model.values()
    )
