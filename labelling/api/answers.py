"""What goes out, for the description of the API; the services write it ready for JSON."""

from typing import Any

from rest_framework import serializers

from labelling.models import Decision, Site


class Answer(serializers.Serializer[Any]):
    """Base of what is only described."""


class ErrorOut(Answer):
    error = serializers.CharField()


class BoundsField(serializers.ListField):
    def __init__(self, size: int, **more: Any) -> None:
        super().__init__(child=serializers.FloatField(), min_length=size, max_length=size, **more)


class OutlineOut(Answer):
    type = serializers.CharField()
    coordinates = serializers.ListField(child=serializers.JSONField())


class TypesOut(Answer):
    feature = serializers.CharField(required=False)
    commodity = serializers.CharField(required=False)
    method = serializers.CharField(required=False)


class ScoredOut(Answer):
    code = serializers.CharField()
    score = serializers.FloatField(allow_null=True)


class OfferedTypesOut(Answer):
    feature = ScoredOut(many=True, required=False)
    commodity = ScoredOut(many=True, required=False)
    method = ScoredOut(many=True, required=False)


class RegionOut(Answer):
    name = serializers.CharField()
    biome = serializers.CharField()
    realm = serializers.CharField()


class OptionOut(Answer):
    code = serializers.CharField()
    name = serializers.CharField()
    color = serializers.CharField()
    score = serializers.FloatField(allow_null=True)
    digit = serializers.IntegerField(allow_null=True)


class ProposalOut(Answer):
    id = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment]  # the name of the field, not the option of Field
    kind = serializers.CharField()
    score = serializers.FloatField(allow_null=True)
    is_mine = serializers.BooleanField()
    types = OfferedTypesOut()
    geometry = OutlineOut()
    licence = serializers.CharField()
    note = serializers.CharField(help_text="why a model says so, in words; empty where it does not say")
    scene = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()


class CombinationOut(Answer):
    id = serializers.CharField()
    name = serializers.CharField()


class PartOut(Answer):
    name = serializers.CharField()
    acquired_at = serializers.DateTimeField(allow_null=True)


class SceneOut(Answer):
    id = serializers.IntegerField(help_text="of a mosaic, that of the scene in front")
    address = serializers.CharField(help_text="its name in the addresses of tiles and spectra, such as 12 or 12-7")
    name = serializers.CharField()
    version = serializers.CharField()
    kind = serializers.CharField(help_text="single, composite, or mosaic: several scenes, each where those before end")
    acquired_at = serializers.DateTimeField(allow_null=True)
    acquired_until = serializers.DateTimeField(allow_null=True, help_text="end of the period of several dates")
    method = serializers.CharField(help_text="of a composite; empty where it is not known")
    parts = PartOut(many=True, help_text="the scenes that a composite or mosaic is made of")
    attribution = serializers.CharField()
    synthetic = serializers.BooleanField()
    bounds = BoundsField(4)
    pixel_m = serializers.FloatField()
    combinations = CombinationOut(many=True)


class PastOut(Answer):
    verdict = serializers.ChoiceField(choices=Decision.Verdict.choices)
    reviewer = serializers.CharField()
    at = serializers.DateTimeField()
    types = TypesOut()
    reason = serializers.CharField()
    comment = serializers.CharField()
    applied = serializers.BooleanField()
    undone = serializers.BooleanField()


class CommentOut(Answer):
    author = serializers.CharField()
    at = serializers.DateTimeField()
    text = serializers.CharField()


class ClaimOut(Answer):
    token = serializers.UUIDField()
    expires_at = serializers.DateTimeField()


class ItemOut(Answer):
    site = serializers.IntegerField()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Site.State.choices)
    name = serializers.CharField()
    point = BoundsField(2)
    bounds = BoundsField(4)
    footprint = OutlineOut()
    area_ha = serializers.FloatField()
    region = RegionOut(allow_null=True)
    types = TypesOut()
    options = OptionOut(many=True)
    proposals = ProposalOut(many=True)
    why = serializers.CharField()
    score = serializers.FloatField(allow_null=True)
    scenes = SceneOut(many=True)
    history = PastOut(many=True)
    comments = CommentOut(many=True)
    claim = ClaimOut(allow_null=True)
    synthetic = serializers.BooleanField()


class ConflictOut(Answer):
    error = serializers.CharField()
    current = ItemOut()


class ProgressOut(Answer):
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    mine_today = serializers.IntegerField()
    per_minute = serializers.FloatField()


class WaitingOut(Answer):
    leased = serializers.IntegerField()
    free_in_s = serializers.IntegerField()


class HeldOut(ClaimOut):
    site = serializers.IntegerField()


class ClaimsOut(Answer):
    items = ItemOut(many=True)
    ahead = ItemOut(many=True, help_text="what follows, without what the browser said that it has")
    held = HeldOut(many=True, help_text="every site that is leased to the browser now")
    next = serializers.ListField(child=serializers.IntegerField(), help_text="site ids of all that follows, in order")
    progress = ProgressOut()
    waiting = WaitingOut(allow_null=True)


class ReceiptOut(Answer):
    key = serializers.UUIDField()
    site = serializers.IntegerField()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Site.State.choices)
    types = TypesOut()
    decision = serializers.IntegerField()


class MadeOut(Answer):
    key = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=["decision", "area"])
    site = serializers.IntegerField(allow_null=True)
    verdict = serializers.CharField(help_text="as decided; complete for a window")
    reason = serializers.CharField()
    types = TypesOut()
    version = serializers.IntegerField(allow_null=True)
    applied = serializers.BooleanField()
    undone = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class LevelOut(Answer):
    mean = serializers.FloatField()
    median = serializers.FloatField()


class BandOut(Answer):
    band = serializers.CharField()
    wavelength_nm = serializers.FloatField(allow_null=True)
    inside = LevelOut(allow_null=True)
    ring = LevelOut(allow_null=True)
    contrast = serializers.FloatField(allow_null=True, help_text="(inside - ring) / (inside + ring) of the medians")


class SpectrumOut(Answer):
    site = serializers.IntegerField()
    version = serializers.IntegerField()
    scene = serializers.IntegerField(help_text="of a mosaic, the scene in front")
    scenes = serializers.ListField(child=serializers.IntegerField())
    scene_version = serializers.CharField()
    ring_m = BoundsField(2)
    pixel_m = serializers.FloatField()
    inside_px = serializers.IntegerField()
    ring_px = serializers.IntegerField()
    bands = BandOut(many=True)


class AreaOut(Answer):
    key = serializers.UUIDField()
    geometry = OutlineOut()
    axis = serializers.CharField()
    reviewer = serializers.CharField()
    campaign = serializers.SlugField(allow_null=True)
    scene = serializers.IntegerField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
