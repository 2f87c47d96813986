"""Endpoints of the review screen: authorise, validate, one service call, answer."""

from typing import Any
from uuid import UUID

from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from labelling.api import answers, serializers
from labelling.api.base import ReviewView
from labelling.core.errors import NotFound
from labelling.core.outlines import to_geojson
from labelling.models import Campaign, Decision, ReviewedArea, Scene
from labelling.models.spatial import to_shapely
from labelling.services.campaigns import find_campaign
from labelling.services.decisions import (
    Receipt,
    Submission,
    areas_in,
    complete_area,
    own_steps,
    revoke_area,
    submit_decision,
)
from labelling.services.items import build_item, build_items, claim_of, shown_sites
from labelling.services.queue import (
    beat_claim,
    claim_sites,
    hold_ahead,
    progress_of,
    release_claim,
    waiting_for,
)

ERRORS = {
    400: OpenApiResponse(answers.ErrorOut, "a field is wrong; nothing was stored"),
    401: OpenApiResponse(answers.ErrorOut, "log in and send it again"),
    403: OpenApiResponse(answers.ErrorOut, "not allowed, or without the CSRF token"),
    404: OpenApiResponse(answers.ErrorOut, "not there, or not yours"),
}
REUSED = OpenApiResponse(answers.ErrorOut, "the key was used for something else")
CONFLICT = OpenApiResponse(answers.ConflictOut, "the site has changed: kept, not applied; with the site as it is now")


# Outlines of many sites in JSON: a tenth of their size, which is what counts on a slow line.
@method_decorator(gzip_page, name="dispatch")
class Claims(ReviewView):
    permissions = {"POST": "labelling.add_decision"}

    @extend_schema(
        operation_id="claim_sites", request=serializers.ClaimsIn, responses={200: answers.ClaimsOut, **ERRORS}
    )
    def post(self, request: Request, slug: str) -> Response:
        """Lease the next sites of a campaign, look at those that follow, and lease the first of these too."""
        wish = self.checked(serializers.ClaimsIn, request.data)
        campaign = find_campaign(user=self.user, slug=slug)
        claims = claim_sites(
            user=self.user, campaign=campaign, want=wish["want"], count=wish["count"], exclude=wish["exclude"]
        )
        ids = [claim.site_id for claim in claims]
        ahead = hold_ahead(
            user=self.user,
            campaign=campaign,
            count=wish["ahead"],
            hold=max(0, wish["hold"] - len(ids)),
            exclude=[*ids, *wish["exclude"]],
        )
        fresh = [one.site for one in ahead.sites if wish["have"].get(str(one.site)) != one.version]
        held = [*claims, *ahead.claims]
        items = build_items(user=self.user, sites=shown_sites([*ids, *fresh]), campaign=campaign, claims=held)
        waiting = None if claims or not wish["count"] else waiting_for(user=self.user, campaign=campaign)
        return Response(
            {
                "items": items[: len(ids)],
                "ahead": items[len(ids) :],
                "held": [{"site": claim.site_id, **claim_of(claim)} for claim in held],
                "next": [one.site for one in ahead.sites],
                "progress": vars(progress_of(user=self.user, campaign=campaign)),
                "waiting": vars(waiting) if waiting else None,
            }
        )


class ClaimBeat(ReviewView):
    permissions = {"POST": "labelling.add_decision"}

    @extend_schema(
        operation_id="beat_claim",
        request=None,
        responses={204: None, 410: OpenApiResponse(answers.ErrorOut, "the claim is gone: claim the site again")}
        | {code: ERRORS[code] for code in (401, 403)},
    )
    def post(self, request: Request, token: UUID) -> Response:
        """Keep a claim alive."""
        if beat_claim(user=self.user, token=token) is None:
            return Response({"error": "the claim is gone: claim the site again"}, status=status.HTTP_410_GONE)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ClaimRelease(ReviewView):
    permissions = {"DELETE": "labelling.add_decision"}

    @extend_schema(operation_id="release_claim", responses={204: None, 401: ERRORS[401], 403: ERRORS[403]})
    def delete(self, request: Request, token: UUID) -> Response:
        """Give a claim back; one that is gone, or another's, is left alone with the same answer."""
        release_claim(user=self.user, token=token)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Decisions(ReviewView):
    permissions = {"GET": "labelling.add_decision", "POST": "labelling.add_decision"}

    @extend_schema(
        operation_id="list_own_steps",
        parameters=[serializers.DecisionsQuery],
        responses={200: answers.MadeOut(many=True), **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """One's own newest decisions and windows said to be complete, in one order, for undo and for going back."""
        asked = self.checked(serializers.DecisionsQuery, request.query_params.dict())
        campaign = self.campaign(asked.get("campaign"))
        return Response([_made(step) for step in own_steps(user=self.user, limit=asked["limit"], campaign=campaign)])

    @extend_schema(
        operation_id="submit_decision",
        request=serializers.DecisionIn,
        responses={200: answers.ReceiptOut, 201: answers.ReceiptOut, 409: CONFLICT, 422: REUSED, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Take one decision. The answer comes after the commit; a repeat of the same body gets the same answer."""
        sent = self.checked(serializers.DecisionIn, request.data)
        campaign = self.campaign(sent["campaign"])
        receipt = submit_decision(user=self.user, submission=_submission(sent, campaign), campaign=campaign)
        return Response(_receipt(receipt), status=201 if receipt.created else 200)


class SiteCard(ReviewView):
    permissions = {"GET": "labelling.view_site"}

    @extend_schema(
        operation_id="show_site", parameters=[serializers.SiteQuery], responses={200: answers.ItemOut, **ERRORS}
    )
    def get(self, request: Request, site_id: int) -> Response:
        """One site as it stands now."""
        asked = self.checked(serializers.SiteQuery, request.query_params.dict())
        campaign = self.campaign(asked.get("campaign"))
        return Response(build_item(user=self.user, site_id=site_id, campaign=campaign))


class Areas(ReviewView):
    permissions = {"GET": "labelling.view_site", "POST": "labelling.add_reviewedarea"}

    @extend_schema(
        operation_id="list_reviewed_areas",
        parameters=[serializers.AreasQuery],
        responses={200: answers.AreaOut(many=True), **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """The windows in a box in which everything is labelled; at most 500, newest first."""
        box = self.checked(serializers.AreasQuery, request.query_params.dict())["bbox"]
        return Response([_area(area) for area in areas_in(box=box)])

    @extend_schema(
        operation_id="complete_area",
        request=serializers.AreaIn,
        responses={200: answers.AreaOut, 201: answers.AreaOut, 422: REUSED, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Say that everything in a window is labelled."""
        sent = self.checked(serializers.AreaIn, request.data)
        scene = Scene.objects.filter(pk=sent["scene"]).first() if sent["scene"] else None
        if sent["scene"] and scene is None:
            raise NotFound("no such scene")
        known = ReviewedArea.objects.filter(key=sent["key"]).exists()
        area = complete_area(
            user=self.user,
            key=sent["key"],
            geometry=sent["geometry"],
            axis=sent["axis"],
            campaign=self.campaign(sent["campaign"]),
            scene=scene,
        )
        return Response(_area(area), status=200 if known else 201)


class AreaRevoke(ReviewView):
    permissions = {"POST": "labelling.add_reviewedarea"}

    @extend_schema(operation_id="revoke_area", request=None, responses={200: answers.AreaOut, **ERRORS})
    def post(self, request: Request, key: UUID) -> Response:
        """Take back that everything in a window is labelled."""
        return Response(_area(revoke_area(user=self.user, key=key)))


def _submission(sent: dict[str, Any], campaign: Campaign | None) -> Submission:
    return Submission(
        key=sent["key"],
        verdict=sent["verdict"],
        site_id=sent["site"],
        base_version=sent["base_version"],
        types=sent["types"],
        geometry=sent["geometry"],
        reason=sent["reason"],
        comment=sent["comment"],
        campaign_id=campaign.pk if campaign else None,
        scene_id=sent["scene"],
        undoes=sent["undoes"],
        client_time=sent["client_time"],
        tells=True,
    )


def _receipt(receipt: Receipt) -> dict[str, Any]:
    return {
        "key": str(receipt.decision.key),
        "site": receipt.decision.site_id,
        "version": receipt.version,
        "state": receipt.settlement.state,
        "types": dict(receipt.types),
        "decision": receipt.decision.pk,
    }


def _made(step: Decision | ReviewedArea) -> dict[str, Any]:
    common = {"key": str(step.key), "created_at": step.created_at}
    if isinstance(step, ReviewedArea):
        return common | {
            "kind": "area",
            "site": None,
            "verdict": "complete",
            "reason": "",
            "types": {},
            "version": None,
            "applied": True,
            "undone": step.revoked_at is not None,
        }
    return common | {
        "kind": "decision",
        "site": step.site_id,
        "verdict": step.verdict,
        "reason": step.reason,
        "types": step.types,
        "version": step.shown_version,
        "applied": not step.is_kept,
        "undone": hasattr(step, "undone_by"),
    }


def _area(area: ReviewedArea) -> dict[str, Any]:
    return {
        "key": str(area.key),
        "geometry": to_geojson(to_shapely(area.geometry)),
        "axis": area.axis,
        "reviewer": area.reviewer.get_username(),
        "campaign": area.campaign.slug if area.campaign else None,
        "scene": area.scene_id,
        "revoked_at": area.revoked_at,
        "created_at": area.created_at,
    }
