from django import forms
from django.db.models import QuerySet

from labelling.forms.filters import Filter
from labelling.models import Job


class JobFilter(Filter):
    state = forms.ChoiceField(required=False, choices=[("", "any"), *Job.State.choices])
    queue = forms.ChoiceField(required=False, choices=[("", "any"), ("cpu", "cpu"), ("gpu", "gpu")])

    def jobs(self, among: "QuerySet[Job]") -> "QuerySet[Job]":
        """Those of some jobs that the form asks for; none where it asks for nonsense."""
        if not self.is_valid():
            return among.none()
        if self.cleaned_data["state"]:
            among = among.filter(state=self.cleaned_data["state"])
        if self.cleaned_data["queue"]:
            among = among.filter(queue=self.cleaned_data["queue"])
        return among
