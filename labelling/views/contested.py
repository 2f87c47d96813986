"""The sites on which reviewers disagree, for leads."""

from itertools import zip_longest
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from labelling.core.errors import BadInput, Conflict, KeyReused, NotFound
from labelling.core.review import LEADS
from labelling.forms.contested import ContestedPlace, SettleForm, TakeBackForm
from labelling.services.campaigns import campaigns_of
from labelling.services.contested import (
    adopt_opinion,
    contested_sites,
    describe_disputes,
    ruling_of,
    take_back_ruling,
)
from labelling.services.keymaps import keymap_of

PER_PAGE = 10


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required(LEADS, raise_exception=True)
def contested(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    if request.method == "POST":
        return _settle(request, user)
    form = ContestedPlace.checked(request.GET)
    place = form.cleaned_data
    found = contested_sites(campaign=place["campaign"])
    one = found.filter(pk=place["site"]) if place["site"] else found.none()
    page = Paginator(one or found, PER_PAGE).get_page(request.GET.get("page"))
    disputes = describe_disputes(sites=list(page))
    context = {
        "form": form,
        "page": page,
        "is_one": bool(one),
        # A key a site: whatever is pressed first counts, once.
        "disputes": [(dispute, uuid4(), after) for dispute, after in zip_longest(disputes, disputes[1:])],
        "campaign": campaigns_of(user=user).first(),
        "ruling": ruling_of(user=user, key=place["settled"]) if place["settled"] else None,
        "take_back_key": uuid4(),
        "keys": keymap_of(user=user),
    }
    return render(request, "labelling/contested.html", context)


def _settle(request: HttpRequest, user: User) -> HttpResponse:
    sent = _sent(SettleForm(request.POST))
    after = sent.pop("next")
    try:
        receipt = adopt_opinion(user=user, decision_id=sent.pop("decision"), **sent)
    except Conflict:
        messages.warning(request, "That site has changed since you saw it: nothing was settled, look at it again.")
    except (BadInput, NotFound, KeyReused) as error:
        messages.error(request, f"Nothing was settled: {error}.")
    else:
        return _back(request, settled=receipt.decision.key, site=after)
    return _back(request)


@require_POST
@permission_required(LEADS, raise_exception=True)
def contested_take_back(request: HttpRequest) -> HttpResponse:
    """Take back what was settled last."""
    sent = _sent(TakeBackForm(request.POST))
    try:
        receipt = take_back_ruling(user=cast(User, request.user), **sent)
    except Conflict as error:
        messages.warning(request, f"Nothing was taken back: {error}.")
    except (NotFound, KeyReused) as error:
        messages.error(request, f"Nothing was taken back: {error}.")
    else:
        messages.success(request, f"Site {receipt.site.pk} is {receipt.settlement.state} again.")
        return _back(request, site=receipt.site.pk)
    return _back(request)


def _sent(form: Form) -> dict[str, Any]:
    if not form.is_valid():
        msg = f"the form lacks what it sends by itself: {', '.join(form.errors)}"
        raise BadRequest(msg)
    return form.cleaned_data


def _back(request: HttpRequest, *, settled: UUID | None = None, site: int | None = None) -> HttpResponse:
    """To the same page of the same list, at a site of it; what there is to read at its top is read first."""
    asked = {"campaign": request.GET.get("campaign"), "page": request.GET.get("page"), "settled": settled}
    query = urlencode({name: value for name, value in asked.items() if value})
    return redirect(f"{reverse('contested')}{f'?{query}' if query else ''}{f'#site-{site}' if site else ''}")
