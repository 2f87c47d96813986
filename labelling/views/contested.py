"""The sites on which reviewers disagree, for leads."""

from typing import cast
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from labelling.core.errors import BadInput, Conflict, KeyReused, NotFound
from labelling.core.review import LEADS
from labelling.forms.contested import SettleForm
from labelling.services.campaigns import campaigns_of
from labelling.services.contested import adopt_opinion, contested_sites, describe_disputes

PER_PAGE = 10


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required(LEADS, raise_exception=True)
def contested(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    if request.method == "POST":
        return _settle(request, user)
    page = Paginator(contested_sites(), PER_PAGE).get_page(request.GET.get("page"))
    # A key a site: whatever is pressed first counts, once.
    disputes = [(dispute, uuid4()) for dispute in describe_disputes(sites=list(page))]
    context = {"page": page, "disputes": disputes, "campaign": campaigns_of(user=user).first()}
    return render(request, "labelling/contested.html", context)


def _settle(request: HttpRequest, user: User) -> HttpResponse:
    form = SettleForm(request.POST)
    if not form.is_valid():
        msg = "name the opinion, the version of the site and a key"
        raise BadRequest(msg)
    sent = form.cleaned_data
    try:
        receipt = adopt_opinion(user=user, decision_id=sent.pop("decision"), **sent)
    except Conflict:
        messages.warning(request, "That site has changed since you saw it: nothing was settled, look at it again.")
    except (BadInput, NotFound, KeyReused) as error:
        messages.error(request, f"Nothing was settled: {error}.")
    else:
        messages.success(request, f"Site {receipt.site.pk} is {receipt.settlement.state}.")
    return redirect("contested")
