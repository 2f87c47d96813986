"""What axe-core finds on a page."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_FAST = {"resultTypes": ["violations"]}
# Not on by default: targets of at least 24 by 24 pixels, or with room around them.
EVERYTHING = {"rules": {"target-size": {"enabled": True}}, **_FAST}
# What a second theme can change on the same page.
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}, **_FAST}
SERIOUS = {"serious", "critical"}


def findings(page: Page, options: dict[str, Any] = EVERYTHING) -> list[str]:
    """The serious findings, each with its element and what is wrong with it."""
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{one['impact']} {one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]
