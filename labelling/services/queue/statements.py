"""The statements that run at every key press of every reviewer, for PostGIS and SpatiaLite alike.

They are written out, because Django takes longer to compose such a statement than the database to answer it. Those
that look for the next sites walk down one index in the order of the queue (``site_queue``) and stop after as many
sites as were asked for, so that their cost does not grow with the number of sites.

``reviewer_id + 0`` keeps the planner from comparing each site with all that a reviewer ever decided, instead of the
few decisions on the site.

In braces stands what ``ask`` fills in. Ids are handed over as one value, so that the text stays the same and the
database need not plan it anew (``mad_web.prepared``).
"""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import connection

_AMONG = {"postgresql": "= ANY(%({})s)", "sqlite": "IN (SELECT value FROM json_each(%({})s))"}
_NOT_AMONG = {"postgresql": "<> ALL(%({})s)", "sqlite": "NOT IN (SELECT value FROM json_each(%({})s))"}

_IN_WISHED_ORDER = {
    "postgresql": "array_position(%(wish)s::bigint[], s.id::bigint)",
    "sqlite": "(SELECT key FROM json_each(%(wish)s) WHERE value = s.id)",
}

_IN_FORCE = (
    "d.verdict <> 'undo' AND NOT EXISTS (SELECT 1 FROM labelling_decision taken_back WHERE taken_back.undoes_id = d.id)"
)
_LIVE = "SELECT {what} FROM labelling_claim k WHERE k.site_id = s.id AND k.expires_at > %(now)s"
_OPINIONS = (
    "SELECT {what} FROM labelling_decision d WHERE d.site_id = s.id AND d.version IS NOT NULL AND "
    f"d.verdict <> 'skip' AND {_IN_FORCE}"
)
_WANTED_STILL = f"""{{wanted}}
        - CASE WHEN s.version = 0 OR {{wanted}} = 1 THEN 0 ELSE ({_OPINIONS.format(what="COUNT(*)")}) END"""
# An open site, of which the reviewer has said and holds nothing, with a place for one more opinion.
FREE = f"""s.state = 'open' AND s.id {{not_excluded}}
    AND (s.version = 0 OR NOT EXISTS ({_OPINIONS.format(what="1")} AND d.reviewer_id + 0 = %(user)s))
    AND NOT EXISTS ({_LIVE.format(what="1")} AND k.reviewer_id = %(user)s)
    AND ({_LIVE.format(what="COUNT(*)")}) < {_WANTED_STILL}"""
_SPOKEN_OF = (
    "SELECT 1 FROM labelling_decision d WHERE d.site_id = s.id AND d.reviewer_id + 0 = %(user)s "
    f"AND (d.version IS NOT NULL OR d.verdict = 'skip') AND {_IN_FORCE}"
)
_KNOWN = "CASE WHEN {wanted} > 1 THEN 0 ELSE s.version END"  # that others have spoken is not said where it is blind
NEXT = f"""SELECT s.id, {_KNOWN} FROM labelling_site s
    WHERE {{free}} AND NOT EXISTS ({_SPOKEN_OF}) {{among}} ORDER BY s.priority DESC, s.id LIMIT {{count}}"""
SKIPPED = f"""SELECT s.id, {_KNOWN} FROM labelling_site s JOIN (
        SELECT d.site_id, MAX(d.id) AS last FROM labelling_decision d
        WHERE d.reviewer_id = %(user)s AND d.verdict = 'skip' AND {_IN_FORCE} GROUP BY d.site_id
    ) skip ON skip.site_id = s.id WHERE {{free}} {{among}} ORDER BY skip.last LIMIT {{count}}"""
WANTED = "SELECT s.id, s.version FROM labelling_site s WHERE s.id {wished} AND {free} {among}"
# A lead may want a site in any state that nobody else holds.
LEADS = f"""SELECT s.id, s.version FROM labelling_site s WHERE s.id {{wished}} AND s.id {{not_excluded}}
    AND NOT EXISTS ({_LIVE.format(what="1")} AND k.reviewer_id <> %(user)s)"""
OWN = f"""SELECT s.id, CASE WHEN s.state = 'open' THEN {_KNOWN} ELSE 0 END
    FROM labelling_claim k JOIN labelling_site s ON s.id = k.site_id
    WHERE k.reviewer_id = %(user)s AND k.campaign_id = %(campaign)s AND (s.state = 'open' OR k.again)
    AND s.id {{not_excluded}} ORDER BY k.id"""
# A contested site on which the lead has not spoken; the one that has waited longest comes first.
CONTESTED = f"""SELECT s.id, s.version FROM labelling_site s JOIN labelling_label l ON l.site_id = s.id
    WHERE s.state = 'contested' AND s.id {{not_excluded}} AND NOT EXISTS ({_SPOKEN_OF})
    AND NOT EXISTS ({_LIVE.format(what="1")}) {{among}} ORDER BY l.decided_at, s.id LIMIT {{count}}"""
# A settled site that needs one more opinion than it has; it stands in the queue at its priority.
AGAIN = f"""SELECT s.id, 0, s.priority FROM labelling_site s JOIN labelling_label l ON l.site_id = s.id
    WHERE s.due_again AND s.id {{not_excluded}} AND NOT EXISTS ({_SPOKEN_OF})
    AND NOT EXISTS ({_LIVE.format(what="1")} AND k.reviewer_id = %(user)s)
    AND ({_LIVE.format(what="COUNT(*)")}) < s.least_opinions - l.reviews
    {{among}} ORDER BY s.priority DESC, s.id LIMIT {{count}}"""

_SLOTS = " UNION ALL ".join(f"SELECT {slot} AS slot" for slot in range(9))  # as many as a campaign may ask opinions
_OTHERS = f"({_LIVE.format(what='COUNT(*)')} AND k.reviewer_id <> %(user)s)"
_HAS = "EXISTS (SELECT 1 FROM labelling_claim k WHERE k.site_id = s.id AND k.reviewer_id = %(user)s)"
# What was free when it was looked for may be leased by now: a row is locked, but what was seen is older than the lock.
# A gold site may be held by any number.
_STILL_FREE = f"""({_HAS} OR (%(lead)s = 1 AND {_OTHERS} = 0) OR CASE
        WHEN s.state = 'open' THEN {_OTHERS} < {_WANTED_STILL}
        WHEN s.due_again THEN {_OTHERS} < s.least_opinions
            - (SELECT l.reviews FROM labelling_label l WHERE l.site_id = s.id)
        WHEN s.state = 'contested' THEN {_OTHERS} = 0
        ELSE 1 = 1 END)"""
# The place that the reviewer has, or the first that nobody holds; a lease that has run out is taken over. In the order
# that is wished: what is held is served again in the order of its leases.
LEASE = f"""
    INSERT INTO labelling_claim AS held
        (site_id, slot, campaign_id, reviewer_id, again, token, expires_at, created_at)
    SELECT s.id, COALESCE(
            (SELECT k.slot FROM labelling_claim k WHERE k.site_id = s.id AND k.reviewer_id = %(user)s),
            (SELECT MIN(places.slot) FROM ({_SLOTS}) places WHERE NOT EXISTS (
                SELECT 1 FROM labelling_claim k
                WHERE k.site_id = s.id AND k.slot = places.slot AND k.expires_at > %(now)s)),
            CASE WHEN s.state <> 'open' THEN 9 + %(user)s %% 30000 END  -- any number may hold a gold site
        ), %(campaign)s, %(user)s, s.state <> 'open', {{token}}, %(until)s, %(now)s
    FROM labelling_site s{{lax}} WHERE s.id {{wished}} AND {_STILL_FREE} ORDER BY {{wished_order}}
    ON CONFLICT (site_id, slot) DO UPDATE SET
        campaign_id = excluded.campaign_id, reviewer_id = excluded.reviewer_id, again = excluded.again,
        expires_at = excluded.expires_at,
        token = CASE WHEN held.reviewer_id = excluded.reviewer_id THEN held.token ELSE excluded.token END,
        created_at = CASE WHEN held.reviewer_id = excluded.reviewer_id THEN held.created_at ELSE excluded.created_at END
    WHERE held.reviewer_id = excluded.reviewer_id OR held.expires_at <= %(now)s
    RETURNING id, site_id, slot, token, (SELECT COUNT(*) FROM labelling_claim k WHERE k.reviewer_id = %(user)s)"""

# How many sites of a campaign others hold.
HELD = """SELECT COUNT(*) FROM labelling_claim k
    WHERE k.campaign_id = %(campaign)s AND k.expires_at > %(now)s AND k.reviewer_id <> %(user)s"""

# What a reviewer has decided: since midnight, and in the last minutes.
MINE = f"""SELECT COUNT(CASE WHEN d.created_at >= %(midnight)s THEN 1 END),
        COUNT(CASE WHEN d.created_at >= %(pace)s THEN 1 END),
        MIN(CASE WHEN d.created_at >= %(pace)s THEN d.created_at END)
    FROM labelling_decision d WHERE d.reviewer_id = %(user)s AND d.created_at >= %(since)s
    AND d.verdict <> 'skip' AND {_IN_FORCE}"""


def ask(
    statement: str,
    *,
    values: Mapping[str, Any],
    wanted: str = "1",
    exclude: Collection[int] = (),
    wish: Collection[int] = (),
    among: Collection[int] | None = None,
    count: int = 0,
    more: str = "",
    words: Mapping[str, str] | None = None,
) -> list[tuple[Any, ...]]:
    """Run one of the statements.

    Args:
        statement: which.
        values: what it compares with, by name; moments as datetimes with a zone.
        wanted: how many opinions a site needs, in SQL over the site ``s``.
        exclude: site ids to leave out.
        wish: site ids that are asked for.
        among: nothing but these site ids; None: any.
        count: how many rows at most.
        more: what follows the statement, such as a lock.
        words: other words of its text.

    Returns:
        The rows.
    """
    vendor = connection.vendor
    not_excluded, wished = _NOT_AMONG[vendor].format("exclude"), _AMONG[vendor].format("wish")
    known = {
        "wanted": wanted,
        "not_excluded": not_excluded,
        "wished": wished,
        "wished_order": _IN_WISHED_ORDER[vendor],
        "among": f"AND s.id {_AMONG[vendor].format('among')}" if among is not None else "",
        "count": str(int(count)),
        **(words or {}),
    }
    text = statement.format(free=FREE.format(**known), **known)
    ids = {"exclude": _listed(exclude), "wish": _listed(wish), "among": _listed(among or ())}
    with connection.cursor() as cursor:
        cursor.execute(text + more, {**ids, **{name: _adapted(value) for name, value in values.items()}})
        return list(cursor.fetchall())


def _listed(ids: Collection[int]) -> list[int] | str:
    return list(ids) if connection.vendor == "postgresql" else json.dumps(list(ids))


def _adapted(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
