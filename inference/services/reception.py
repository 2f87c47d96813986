"""What reviewers said of a model: its proposals, judged by what the labels of their sites say today."""

from django.db import connection

from inference.core.reception import ACCEPTED, AMENDED, BANDS, CONTESTED, RETYPED, WAITING, Outcome, Reception, sum_up
from inference.models import ModelVersion
from labelling.models import Decision, Label
from labelling.models.taxonomy import Axis

# By hand: Django groups no rows that a window has picked, and joins every site on the way to its label, which takes
# three times as long.
_FIRST_TYPE = {
    "postgresql": "proposal.types #>> '{{{axis},0,0}}'",
    "sqlite": "json_extract(proposal.types, '$.{axis}[0][0]')",
}
_COUNTED = f"""SELECT band, what, COUNT(*) FILTER (WHERE place = 1), COUNT(*) FROM (
        SELECT FLOOR(proposal.score * {BANDS}) AS band,
            ROW_NUMBER() OVER (PARTITION BY proposal.site_id ORDER BY proposal.score DESC NULLS LAST, proposal.id)
                AS place,
            CASE WHEN label.id IS NULL THEN '{WAITING}'
                WHEN label.state = '{Label.State.CONTESTED}' THEN '{CONTESTED}'
                WHEN label.state = '{Label.State.REJECTED}' THEN label.reason
                WHEN COALESCE(kind.code, '') <> COALESCE({{first_type}}, '') THEN '{RETYPED}'
                WHEN decision.verdict = '{Decision.Verdict.ACCEPT}' THEN '{ACCEPTED}'
                ELSE '{AMENDED}' END AS what
        FROM labelling_proposal proposal
            LEFT JOIN labelling_label label ON label.site_id = proposal.site_id
            LEFT JOIN labelling_decision decision ON decision.id = label.decision_id
            LEFT JOIN labelling_minetype kind ON kind.id = label.{{axis}}_id
        WHERE proposal.source_id = %s
            AND NOT EXISTS (SELECT 1 FROM labelling_retirement gone WHERE gone.proposal_id = proposal.id)
    ) said GROUP BY band, what"""  # noqa: S608  # our own text


def reception_of(*, model: ModelVersion) -> Reception:
    """Count what became of the sites that a model's standing proposals speak of.

    A site counts once, by the surest of the model's proposals there; its label says what became of it, so that
    what was undone, kept without being applied, or answered on a gold site counts nowhere. Whether it was accepted
    as proposed is what the decision says that settled it.

    Args:
        model: the model version; its axis is the one whose types are compared.
    """
    axis = Axis(model.axis).value
    text = _COUNTED.format(axis=axis, first_type=_FIRST_TYPE[connection.vendor].format(axis=axis))
    with connection.cursor() as cursor:
        cursor.execute(text, [model.source_id])
        rows = cursor.fetchall()
    outcomes = [Outcome(_band(place), what, sites) for place, what, sites, _ in rows if sites]
    return sum_up(outcomes, proposals=sum(row[-1] for row in rows))


def _band(place: float | None) -> int | None:
    return None if place is None else min(int(place), BANDS - 1)
