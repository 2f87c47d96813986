"""When the next gold site comes: the share is kept, the place cannot be foreseen."""

MAX_SHARE = 0.5


def gold_gap(*, share: float, turn: int, draw: float) -> int:
    """Tell how many items there are from one gold site to the next, with it and without the first.

    Between half of the mean gap and one and a half of it. Two turns that follow share one draw and lie as far
    below the mean as above it, so that the share holds after every second gold site.

    Args:
        share: of the items that are gold, above 0 and up to 0.5.
        turn: how many gold sites came before.
        draw: 0 to 1, another one for every two turns.
    """
    place = draw if turn % 2 == 0 else 1 - draw
    return max(1, round((0.5 + place) / share))


def longest_gap(share: float) -> int:
    """No gap is longer than so many items."""
    return round(1.5 / share) + 1
