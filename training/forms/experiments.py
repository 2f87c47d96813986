import json
from typing import Any

from django import forms

from training.core.errors import BadRecipe
from training.core.plan import Plan
from training.core.recipe import TrainSettings

_SETTINGS = tuple(TrainSettings.__dataclass_fields__)
MAX_RECIPE = 20_000


class PlanForm(forms.Form):
    """A recipe as JSON, and the settings that are changed most as fields of their own."""

    name = forms.RegexField(
        r"^[a-z0-9][a-z0-9._-]{0,60}$",
        help_text="Of the experiment and its model; it gets a number.",
        error_messages={"invalid": "Use small letters, digits, dots and dashes, such as cobalt-miombo."},
    )
    architecture = forms.CharField(max_length=75, help_text="A network such as yolo11n.yaml or yolo26n.yaml.")
    epochs = forms.IntegerField(min_value=1, help_text="At most.")
    batch = forms.IntegerField(min_value=1, help_text="Chips per step.")
    patience = forms.IntegerField(min_value=1, help_text="Stop after so many epochs without a better validation.")
    seed = forms.IntegerField(min_value=0, help_text="Of weights, order and augmentation.")
    recipe = forms.CharField(
        max_length=MAX_RECIPE,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false", "class": "mono"}),
        help_text="What the dataset is made of: imagery, bands and stretch, chips, split, test set kept out.",
    )

    @staticmethod
    def values_of(plan: Plan, *, name: str) -> dict[str, Any]:
        """What the fields show for a plan."""
        recipe = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in plan.recipe.to_json().items())
        return {"name": name, "recipe": "{\n" + recipe + "\n}", **plan.settings.to_json()}

    def initial_plan(self) -> dict[str, Any]:
        """The plan that an unsent form shows."""
        recipe: dict[str, Any] = json.loads(self.initial["recipe"])
        return recipe | {key: self.initial[key] for key in _SETTINGS}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if any(key not in cleaned for key in (*_SETTINGS, "recipe")):
            return cleaned
        try:
            recipe = json.loads(cleaned["recipe"])
            if not isinstance(recipe, dict):
                self.add_error("recipe", 'A recipe is a JSON object: {"axis": ...}.')
                return cleaned
            cleaned["plan"] = Plan.from_json(recipe | {key: cleaned[key] for key in _SETTINGS})
        except BadRecipe as error:
            self.add_error(None, str(error))
        except (ValueError, RecursionError) as error:
            self.add_error("recipe", f"Not JSON: {error}")
        return cleaned

    def plan(self) -> Plan | None:
        """The plan that was sent, or None where it cannot be read."""
        return self.cleaned_data.get("plan") if self.is_valid() else None
