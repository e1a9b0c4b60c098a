"""Both sides of a run over some steps: what each works on, and where it waits."""

from __future__ import annotations

from itertools import accumulate
from itertools import chain
from typing import TYPE_CHECKING
from typing import NamedTuple

from launch.picture import WIDTH
from launch.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from launch.timing.steps import Step

#: Steps that are drawn, and columns for them.
DRAWN, _COLUMNS = 4, 72
#: What a side does: a sign for the terminal, a colour for SVG, and words for both.
KINDS = {
    "works": ("#", "#3b6ea8"),
    "syncs weights": ("=", "#d9822b"),
    "evaluates": ("e", "#7a9e5a"),
    "waits": (".", "#e4e4e4"),
}
_LEFT, _RIGHT, _LANE, _TOP = 80, 100, 36, 48


class Span(NamedTuple):
    """What a side does for some seconds: a name of KINDS."""

    kind: str
    seconds: float


def _lanes(step: Step) -> dict[str, list[Span]]:
    """What both sides do in one step, in order."""
    rest = step.rollout + step.learn
    # While the learner waits for it, the server ends what it began in the step before.
    made = min(step.generating, rest)
    sync, evaluation = Span("syncs weights", step.sync), Span("evaluates", step.other)
    learner = [Span("works", step.prepare), Span("waits", step.wait), sync, Span("waits", step.rollout)]
    server = [Span("waits", step.prepare), Span("works", step.wait), sync, Span("works", made)]
    return {
        "learner": [evaluation, *learner, Span("works", step.learn)],
        "server": [evaluation, *server, Span("waits", rest - made)],
    }


def _all(steps: Sequence[Step]) -> dict[str, list[list[Span]]]:
    each = [_lanes(step) for step in steps]
    return {side: [lanes[side] for lanes in each] for side in ("learner", "server")}


def waits(steps: Sequence[Step]) -> dict[str, float]:
    """The share of the time in which each side waits, by the name of the side."""
    whole = sum(step.seconds for step in steps)
    return {
        side: sum(span.seconds for span in chain(*lane) if span.kind == "waits") / whole
        for side, lane in _all(steps).items()
    }


def text(steps: Sequence[Step]) -> Iterator[str]:
    """The drawing for a terminal, line by line."""
    scale = sum(step.seconds for step in steps) / _COLUMNS
    signs = ", ".join(f"{sign} {kind}" for kind, (sign, _) in KINDS.items() if _has(steps, kind))
    yield f"{_which(steps)}; a column is {scale:.2g} s; {signs}"
    for side, drawn in _all(steps).items():
        row = "|".join("".join(KINDS[kind][0] * round(seconds / scale) for kind, seconds in one) for one in drawn)
        yield f"  {side:<7}  {row}"


def _has(steps: Sequence[Step], kind: str) -> bool:
    return kind != "evaluates" or any(step.other for step in steps)


def _which(steps: Sequence[Step]) -> str:
    return f"steps {steps[0].number} to {steps[-1].number}" if steps[1:] else f"step {steps[0].number}"


def svg(steps: Sequence[Step], title: str) -> str:
    """The drawing as an SVG image, under a title."""
    scale = (WIDTH - _LEFT - _RIGHT) / sum(step.seconds for step in steps)
    height = _TOP + 2 * _LANE + 64
    image = Picture(height, title)
    image.word(16, 24, f"{title}: {_which(steps)}")
    idle = waits(steps)
    for number, (side, drawn) in enumerate(_all(steps).items()):
        top = _TOP + number * _LANE
        image.word(16, top + 18, side)
        _lane(image, list(chain(*drawn)), top, scale)
        image.word(WIDTH - _RIGHT + 8, top + 18, f"waits {idle[side]:.0%}")
    _axis(image, steps, scale)
    _legend(image, [kind for kind in KINDS if _has(steps, kind)], height - 14)
    return image.rendered()


def _lane(image: Picture, spans: Sequence[Span], top: float, scale: float) -> None:
    begins = accumulate((span.seconds for span in spans), initial=0.0)
    for span, begin in zip(spans, begins, strict=False):
        if span.seconds > 0:
            place = {"x": _LEFT + begin * scale, "y": top, "width": span.seconds * scale, "height": _LANE - 10}
            image.box(KINDS[span.kind][1], f"{span.kind} for {span.seconds:.2f} s", **place)


def _axis(image: Picture, steps: Sequence[Step], scale: float) -> None:
    """A line where each step ends, with the seconds until then."""
    bottom = _TOP + 2 * _LANE
    for end in accumulate((step.seconds for step in steps), initial=0.0):
        place = _LEFT + end * scale
        image.line(x1=place, x2=place, y1=_TOP - 6, y2=bottom)
        image.word(place, bottom + 16, f"{end:.1f} s", anchor="middle")


def _legend(image: Picture, kinds: Sequence[str], base: float) -> None:
    for number, kind in enumerate(kinds):
        left = _LEFT + 140 * number
        image.box(KINDS[kind][1], x=left, y=base - 11, width=14, height=14)
        image.word(left + 20, base, kind)
