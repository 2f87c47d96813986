"""The closed schema of a person's own keys."""

import re
from typing import Any

import pytest
from django.conf import settings

from labelling.core.errors import BadInput
from labelling.core.keymaps import ACTIONS, CODE, read_keymap

TABLE = settings.BASE_DIR / "static" / "js" / "review" / "keys.js"


def shown_keys() -> dict[str, list[str]]:
    """action -> places, as the screen has them."""
    text = TABLE.read_text().split("export const KEYS = {")[1].split("\n};")[0]
    rows = re.findall(r"^  (\w+): \{ codes: \[(.*?)\]", text, re.MULTILINE)
    return {action: re.findall(r'"(\w+)"', codes) for action, codes in rows}


def test_every_action_of_the_screen_and_no_other_has_a_key_to_change() -> None:
    changeable = {action for action, codes in shown_keys().items() if codes and CODE.fullmatch(codes[0])}
    assert changeable == set(ACTIONS)


def test_the_usual_keys_could_be_chosen_too() -> None:
    usual = {action: codes[0] for action, codes in shown_keys().items() if action in ACTIONS}
    assert read_keymap(usual) == usual


def test_some_keys_may_be_changed_and_others_left() -> None:
    assert read_keymap({"accept": "KeyQ", "skip": "Comma"}) == {"accept": "KeyQ", "skip": "Comma"}
    assert read_keymap({}) == {}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([["accept", "KeyQ"]], "JSON object"),
        (None, "JSON object"),
        ({"accept": "KeyQ", "__proto__": "KeyW"}, "unknown action '__proto__'"),
        ({"<script>" * 100: "KeyW"}, "unknown action"),
        ({"accept": "Digit1"}, "accept: 'Digit1' is no place"),
        ({"accept": "Escape"}, "no place"),
        ({"accept": "KeyQ\n"}, "no place"),
        ({"accept": "keyq"}, "no place"),
        ({"accept": ["KeyQ"]}, "no place"),
        ({"accept": {"KeyQ": 1}}, "no place"),
        ({"accept": "x" * 10_000}, "no place"),
        ({"accept": "KeyQ", "skip": "KeyQ"}, "accept and skip have the same key KeyQ"),
    ],
)
def test_anything_else_is_refused_and_named(keys: Any, said: str) -> None:
    with pytest.raises(BadInput, match=re.escape(said)) as caught:
        read_keymap(keys)
    assert len(str(caught.value)) < 400
