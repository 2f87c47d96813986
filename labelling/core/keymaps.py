"""Which key does what, where a person has changed it: a closed schema, whatever a client may send."""

import re
from collections.abc import Mapping
from typing import Any

from labelling.core.errors import BadInput

# What has a key that may be changed; static/js/review/keys.js has the keys themselves.
ACTIONS = (
    "accept",
    "reject",
    "unsure",
    "skip",
    "undo",
    "back",
    "forward",
    "edit",
    "draw",
    "complete",
    "bands",
    "compare",
    "hide",
    "previousScene",
    "nextScene",
    "comment",
    "fit",
)
# Places on the keyboard (KeyboardEvent.code) that are free: not digits, arrows, space, Enter, Tab, Esc, plus and minus.
CODE = re.compile(
    r"Key[A-Z]|Digit0|Bracket(?:Left|Right)|Semicolon|Quote|Backquote|(?:Intl)?Backslash|Comma|Period|Slash"
)


def read_keymap(value: Any) -> dict[str, str]:
    """Read a person's own keys.

    Args:
        value: action -> place on the keyboard, for some or all actions; the others keep their usual key.

    Raises:
        BadInput: not an object, an unknown action, a place that cannot be used, or one that is used twice.
    """
    if not isinstance(value, Mapping):
        msg = "the keys are a JSON object of action and place on the keyboard, {} for the usual ones"
        raise BadInput(msg)
    owners: dict[str, str] = {}
    for action, code in value.items():
        if action not in ACTIONS:
            msg = f"unknown action {str(action)[:40]!r}: use {', '.join(ACTIONS)}"
            raise BadInput(msg)
        if not isinstance(code, str) or not CODE.fullmatch(code):
            msg = f"{action}: {str(code)[:40]!r} is no place that can be used: send a letter such as KeyQ, or Comma"
            raise BadInput(msg)
        if code in owners:
            msg = f"{owners[code]} and {action} have the same key {code}: give one of them another"
            raise BadInput(msg)
        owners[code] = action
    return {action: code for code, action in owners.items()}
