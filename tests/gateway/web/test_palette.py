"""The colours of charts: apart from the page and from each other, for every kind of eye."""

import math
import re
from itertools import combinations
from pathlib import Path

import pytest

_PALETTE = Path("gateway/static/gateway/palette.css").read_text()
_LEAST_CONTRAST = 3.0
"""Of graphics, by WCAG 2.2, 1.4.11."""
_LEAST_DISTANCE = 0.1
"""In OKLab, where 0.02 is just seen side by side."""

# Machado, Oliveira and Fernandes (2009), at full severity, of linear RGB.
_EYES = {
    "usual": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "deuteranope": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.01182, 0.04294, 0.968881),
    ),
    "protanope": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "tritanope": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.3039),
    ),
}
_TO_LMS = ((0.41222, 0.53633, 0.05145), (0.2119, 0.6807, 0.1074), (0.0883, 0.28172, 0.62998))
_TO_LAB = ((0.21045, 0.79362, -0.00407), (1.978, -2.42859, 0.45059), (0.0259, 0.78277, -0.80868))

Colour = tuple[float, ...]


def colours(name: str, scheme: int) -> list[Colour]:
    """Those of that name in light (0) or dark (1), as linear RGB."""
    found = re.findall(rf"--{name}: light-dark\((#\w{{6}}), (#\w{{6}})\)", _PALETTE)
    return [tuple(_linear(int(pair[scheme][at : at + 2], 16) / 255) for at in (1, 3, 5)) for pair in found]


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _times(matrix: tuple[Colour, ...], colour: Colour) -> Colour:
    return tuple(sum(one * other for one, other in zip(row, colour, strict=True)) for row in matrix)


def _luminance(colour: Colour) -> float:
    return _times(((0.2126, 0.7152, 0.0722),), colour)[0]


def _as_seen(colour: Colour, eyes: str) -> Colour:
    seen = [min(max(value, 0.0), 1.0) for value in _times(_EYES[eyes], colour)]
    return _times(_TO_LAB, tuple(value ** (1 / 3) for value in _times(_TO_LMS, tuple(seen))))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_series_stand_out_from_the_page(scheme: int) -> None:
    (paper,) = colours("paper", scheme)
    series = colours(r"series-\d", scheme)
    assert len(series) == 8
    for colour in series:
        low, high = sorted((_luminance(paper), _luminance(colour)))
        assert (high + 0.05) / (low + 0.05) >= _LEAST_CONTRAST


@pytest.mark.parametrize("eyes", _EYES)
@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_series_differ_for_every_kind_of_eye(scheme: int, eyes: str) -> None:
    seen = [_as_seen(colour, eyes) for colour in colours(r"series-\d", scheme)]
    assert min(math.dist(one, other) for one, other in combinations(seen, 2)) >= _LEAST_DISTANCE
