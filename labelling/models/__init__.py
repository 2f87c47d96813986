"""Rows of the ground room."""

from labelling.models.bulk import BulkAction, BulkItem
from labelling.models.campaign import Campaign, Claim
from labelling.models.comment import Comment
from labelling.models.decision import Decision, Label, ReviewedArea
from labelling.models.job import Job
from labelling.models.keymap import Keymap
from labelling.models.opinion import Gold, GoldLook, OpinionGround, OpinionPair
from labelling.models.proposal import Proposal, Retirement
from labelling.models.region import Region
from labelling.models.scene import Scene
from labelling.models.scene_import import ImportItem, SceneImport
from labelling.models.site import Site
from labelling.models.snapshot import Snapshot
from labelling.models.source import SeedDraft, SeedImport, Source
from labelling.models.suspect import Suspect
from labelling.models.taxonomy import MineType
from labelling.models.wait import WaitDay

__all__ = [
    "BulkAction",
    "BulkItem",
    "Campaign",
    "Claim",
    "Comment",
    "Decision",
    "Gold",
    "GoldLook",
    "ImportItem",
    "Job",
    "Keymap",
    "Label",
    "MineType",
    "OpinionGround",
    "OpinionPair",
    "Proposal",
    "Region",
    "Retirement",
    "ReviewedArea",
    "Scene",
    "SceneImport",
    "SeedDraft",
    "SeedImport",
    "Site",
    "Snapshot",
    "Source",
    "Suspect",
    "WaitDay",
]
