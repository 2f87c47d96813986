"""Whom a comment speaks to."""

import re

MAX_MENTIONS = 20
# Not inside a word, so that no e-mail address mentions anybody. The characters are those of Django's user names.
_MENTION = re.compile(r"(?<![\w.@+-])@([\w.@+-]{1,150})")


def names_mentioned(text: str) -> tuple[str, ...]:
    """Find the names after an ``@``, each once, in the order of the text, at most ``MAX_MENTIONS``.

    A name may hold dots and hyphens, and a sentence may end with them: ``@ana.`` gives both ``ana.`` and ``ana``,
    and which of them is a person is for the caller to know.
    """
    found: dict[str, None] = {}
    for number, match in enumerate(_MENTION.finditer(text)):
        if number == MAX_MENTIONS:
            break
        found[match[1]] = None
        found[match[1].rstrip(".@+-")] = None
    found.pop("", None)
    return tuple(found)
