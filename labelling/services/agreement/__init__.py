"""How far reviewers agree with each other and with the truth: figures, and the rows behind each of them."""

from labelling.services.agreement.figures import ReviewerFigures, Survey
from labelling.services.agreement.question import Question
from labelling.services.agreement.rows import decision_rows, gold_rows, pair_rows
from labelling.services.agreement.survey import figures_of, missed_gold, overall_agreement, survey_agreement

__all__ = [
    "Question",
    "ReviewerFigures",
    "Survey",
    "decision_rows",
    "figures_of",
    "gold_rows",
    "missed_gold",
    "overall_agreement",
    "pair_rows",
    "survey_agreement",
]
