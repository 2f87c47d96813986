"""What a lead writes of a type."""

from django import forms

from labelling.models import MineType
from labelling.services.guide import MAX_GUIDELINE, digest


class GuidelineForm(forms.Form):
    text = forms.CharField(
        label="Guideline",
        required=False,
        max_length=MAX_GUIDELINE,
        widget=forms.Textarea(attrs={"rows": 16}),
        help_text="Plain text; an empty line starts a new paragraph.",
    )
    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)

    @classmethod
    def about(cls, mine_type: MineType) -> "GuidelineForm":
        """The form with the text as it stands."""
        text = mine_type.guideline
        return cls(initial={"text": text, "seen": digest(text)}, label_suffix="")

    def clean_text(self) -> str:
        """Browsers send line ends of two characters."""
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n")

    def after(self, theirs: str) -> "GuidelineForm":
        """The form again with what was typed, once the writer has been shown what somebody else wrote meanwhile."""
        return GuidelineForm({"text": self.cleaned_data["text"], "seen": digest(theirs)}, label_suffix="")
