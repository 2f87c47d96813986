"""What a person chooses about a seed file, between the page and the draft."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms

from labelling.core.errors import BadInput
from labelling.core.seed_mapping import SeedMapping
from labelling.core.vocabulary import AXES, plain_text
from labelling.models import MineType, SeedDraft, Source
from labelling.services.seeds import KINDS
from labelling.services.seeds.importing import vocabulary

Json = dict[str, Any]
_DELIMITERS = [("", "found out"), (",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar")]
_SIDES = {
    "unsigned_lat": [("", "as written"), ("S", "south"), ("N", "north")],
    "unsigned_lon": [("", "as written"), ("W", "west"), ("E", "east")],
}
_ROLES = {"id": "Identifier", "name": "Name", "score": "Score, 0 to 1"}
_PLACES = {"lat": "Latitude or northing", "lon": "Longitude or easting", "wkt": "Well-known text"}
_SAID = [("", "a site"), ("not_mine", "no mine: a look-alike"), ("leave_out", "left out")]
_ALL, _KEEP, _NOTHING = "=", "*", "-"
_PATCHED = frozenset({"mapping", "is_whole"})


class ChoicesForm(forms.Form):
    """One field for each choice that the file leaves; the columns of the file are the answers to most."""

    source_name = forms.CharField(label="Source", max_length=120, widget=forms.TextInput(attrs={"list": "sources"}))
    kind = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in KINDS])
    licence = forms.CharField(required=False, max_length=200)
    citation = forms.CharField(required=False, max_length=2000)
    skip_bad_rows = forms.BooleanField(required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, draft: SeedDraft) -> None:
        self.draft, self.preview = draft, draft.preview
        self.mapping: Json = draft.choices.get("mapping") or {}
        self.columns = [column["name"] for column in self.preview.get("columns", [])]
        super().__init__(data, initial=self._initial(), label_suffix="")
        self._add_reading()
        self._add_columns()
        self._add_types()

    def _initial(self) -> Json:
        choices = self.draft.choices
        named = ("source_name", "kind", "licence", "citation", "skip_bad_rows", "layer")
        place, read = self.mapping.get("place", {}), self.mapping.get("read", {})
        found = {name: choices[name] for name in named if name in choices}
        reading = self.preview.get("reading") or {}
        header_rows = read.get("header_rows", reading.get("header_rows"))
        return {
            **found,
            **reading,
            **read,
            "header_rows": header_rows,
            **place,
            **{name: self.mapping.get(name, "") for name in _ROLES},
        }

    def _choose(self, name: str, label: str, answers: list[tuple[str, str]]) -> None:
        known = {answer for answer, _ in answers}
        current = self.initial.get(name) or ""
        extra = [] if current in known else [(current, str(current))]
        self.fields[name] = forms.ChoiceField(label=label, required=False, choices=[*answers, *extra])

    def _add_reading(self) -> None:
        if len(self.preview.get("layers", [])) > 1:
            self._choose("layer", "Layer", [(name, name) for name in self.preview["layers"]])
        reading = self.preview.get("reading")
        if reading:
            if reading["encoding"]:
                names = dict.fromkeys([reading["encoding"], *self.preview.get("encodings", []), "utf-8"])
                self._choose("encoding", "Encoding", [(name, name) for name in names])
                self._choose("delimiter", "Delimiter", _DELIMITERS)
            self.fields["header_rows"] = forms.IntegerField(
                label="Header rows", required=False, min_value=0, max_value=99
            )
        self.fields["crs"] = forms.RegexField(
            r"^(EPSG:\d{1,6})?$",
            label="CRS",
            required=False,
            widget=forms.TextInput(
                attrs={"placeholder": "as declared" if self.preview.get("has_geometry") else "EPSG:4326"}
            ),
            error_messages={"invalid": "Write it as EPSG:32719."},
        )

    def _add_columns(self) -> None:
        answers = [("", "none"), *((name, name) for name in self.columns)]
        for name, label in _PLACES.items():
            self._choose(name, label, answers)
        for name, sides in _SIDES.items():
            label = "Latitudes without a sign" if name == "unsigned_lat" else "Longitudes without a sign"
            self._choose(name, label, sides)
        for name, label in _ROLES.items():
            self._choose(name, label, answers)
        said = [*self.mapping.get("not_mine", {}), *self.mapping.get("leave_out", {})]
        self.initial["said"] = said[0] if said else ""
        self._choose("said", "Column that tells no mines", answers)
        for index, (value, _) in enumerate(self._values(self.initial["said"])):
            self.initial[f"said_{index}"] = self._said_of(value)
            self._choose(f"said_{index}", value, _SAID)

    def _said_of(self, value: str) -> str:
        for key in ("not_mine", "leave_out"):
            listed = self.mapping.get(key, {}).get(self.initial["said"], [])
            if plain_text(value) in {plain_text(one) for one in (listed if isinstance(listed, list) else [listed])}:
                return key
        return ""

    def _values(self, column: str) -> list[tuple[str, int]]:
        about = next((one for one in self.preview.get("columns", []) if one["name"] == column), None)
        return [(value, count) for value, count in about["values"]] if about else []

    def _add_types(self) -> None:
        known = list(MineType.objects.order_by("rank", "code").values_list("axis", "code", "name"))
        try:
            rules = SeedMapping.from_json(self.mapping, vocabulary()).rules
        except BadInput:
            rules = {}
        for axis in AXES:
            types = [(code, name) for its, code, name in known if its == axis]
            rule = self.mapping.get(axis)
            rule = rule[0] if isinstance(rule, list) and len(rule) == 1 else rule
            answers = [("", "not said"), ("column", [(name, name) for name in self.columns])]
            answers.append(("all rows are", [(_ALL + code, name) for code, name in types]))
            if isinstance(rule, list):
                answers.append((_KEEP, f"{len(rule)} columns, as saved"))
                current = _KEEP
            else:
                current = (_ALL + rule["value"] if "value" in rule else rule.get("column", "")) if rule else ""
            self.initial[f"axis_{axis}"] = current
            self.fields[f"axis_{axis}"] = forms.ChoiceField(label=axis.capitalize(), required=False, choices=answers)
            if rule and current in self.columns and rules.get(axis):
                codes = rules[axis][0].codes
                for index, (value, _) in enumerate(self._values(current)):
                    self.initial[f"code_{axis}_{index}"] = codes.get(plain_text(value)) or _NOTHING
                    self.fields[f"code_{axis}_{index}"] = forms.ChoiceField(
                        label=value, required=False, choices=[(_NOTHING, "says nothing"), *types]
                    )

    def choices(self) -> Json:
        """What is chosen now; ``fix`` of ``apply_fix`` goes on top of it."""
        chosen, old = self.cleaned_data, self.draft.choices
        named = ("source_name", "kind", "licence", "citation", "skip_bad_rows", "layer")
        found = {**old, **{name: chosen[name] for name in named if name in chosen}}
        if chosen["source_name"] != old.get("source_name"):
            found["is_whole"] = None
            source = Source.objects.filter(name=chosen["source_name"]).first()
            if source is not None and source.mapping and old.get("guess") in ("columns", None):
                return {key: value for key, value in found.items() if key not in ("mapping", "guess")}
        found["mapping"] = self._mapping(chosen)
        return found

    def _mapping(self, chosen: Json) -> Json:
        place = {name: chosen[name] for name in (*_PLACES, *_SIDES) if chosen.get(name)}
        if self.mapping.get("place", {}).get("minutes_as_decimals"):
            place["minutes_as_decimals"] = True
        read = {**self.mapping.get("read", {})}
        found = self.preview.get("reading") or {}
        for name in ("encoding", "delimiter", "header_rows", "crs"):
            # What was found out is not written down as said, so that the next file is looked at afresh.
            if name in chosen and (name in read or chosen[name] != found.get(name)):
                read[name] = chosen[name]
        read = {name: value for name, value in read.items() if value is not None and value is not False and value != ""}
        kept: Json = {name: self.mapping[name] for name in ("where", "join") if name in self.mapping}
        roles = {name: chosen[name] for name in _ROLES if chosen.get(name)}
        rules = {axis: rule for axis in AXES if (rule := self._rule(axis, chosen))}
        parts = {"place": place, "read": read, **self._said(chosen)}
        return {**kept, **roles, **{name: part for name, part in parts.items() if part}, **rules}

    def _said(self, chosen: Json) -> Json:
        column = chosen.get("said", "")
        found: Json = {"not_mine": {}, "leave_out": {}}
        if column != self.initial["said"]:
            return {"not_mine": {column: []}} if column else {}
        for index, (value, _) in enumerate(self._values(column)):
            if said := chosen.get(f"said_{index}"):
                found[said].setdefault(column, []).append(value)
        return found if any(found.values()) else {"not_mine": {column: []}} if column else {}

    def _rule(self, axis: str, chosen: Json) -> Any:
        answer, old = chosen.get(f"axis_{axis}", ""), self.mapping.get(axis)
        if answer == _KEEP:
            return old
        if answer.startswith(_ALL):
            return {"value": answer.removeprefix(_ALL)}
        if not answer:
            return None
        if answer != self.initial[f"axis_{axis}"]:
            return {"column": answer}
        rule: Json = old[0] if isinstance(old, list) else old or {}
        codes = {value: chosen.get(f"code_{axis}_{index}") for index, (value, _) in enumerate(self._values(answer))}
        changed = {
            value: code
            for index, (value, code) in enumerate(codes.items())
            if code != self.initial.get(f"code_{axis}_{index}")
        }
        if not changed:
            return rule
        said = codes if "table" not in rule and "values" not in rule else changed
        plain = {value: None if code == _NOTHING else code for value, code in said.items()}
        return {**rule, "values": {**rule.get("values", {}), **plain}}

    def crosswalks(self) -> list[tuple[Any, list[tuple[Any, int]]]]:
        """For each axis its field, and for each value of its column the field and the rows."""
        found = []
        for axis in AXES:
            field = self[f"axis_{axis}"]
            values = self._values(self.initial[f"axis_{axis}"])
            rows = [
                (self[f"code_{axis}_{index}"], count)
                for index, (_, count) in enumerate(values)
                if f"code_{axis}_{index}" in self.fields
            ]
            found.append((field, rows))
        return found

    def said_rows(self) -> list[tuple[Any, int]]:
        """For each value of the column that tells no mines the field and the rows."""
        return [(self[f"said_{index}"], count) for index, (_, count) in enumerate(self._values(self.initial["said"]))]

    def fields_named(self, *names: str) -> list[Any]:
        return [self[name] for name in names if name in self.fields]

    def reading_fields(self) -> list[Any]:
        return self.fields_named("layer", "encoding", "delimiter", "header_rows", "crs")

    def place_fields(self) -> list[Any]:
        return self.fields_named(*_PLACES, *_SIDES)

    def role_fields(self) -> list[Any]:
        return self.fields_named(*_ROLES)

    def source_fields(self) -> list[Any]:
        return self.fields_named("source_name", "kind", "licence", "citation")


def apply_fix(choices: Json, text: str) -> Json:
    """Change choices as a button of the preview says.

    Raises:
        BadInput: not what a button says.
    """
    try:
        patch = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = "not a fix"
        raise BadInput(msg) from error
    if not isinstance(patch, dict) or not set(patch) <= _PATCHED:
        msg = "not a fix"
        raise BadInput(msg)
    changed = _merged(choices, patch)
    SeedMapping.from_json(changed.get("mapping", {}), vocabulary())
    return changed


def _merged(old: Json, patch: Json) -> Json:
    found = dict(old)
    for key, value in patch.items():
        mine = found.get(key)
        found[key] = _merged(mine if isinstance(mine, dict) else {}, value) if isinstance(value, dict) else value
    return found
