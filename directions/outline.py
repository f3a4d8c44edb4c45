"""A file's outline: which heading starts what, and how far it reaches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from callboard.directions.blocks import Block, Kind


class Topic(Enum):
    INTRO = auto()
    RULES = auto()
    CANON = auto()
    MISSION = auto()
    FOCUS = auto()
    GIT = auto()
    TASKS = auto()
    TASK = auto()
    OTHER = auto()


_TOPICS = (
    (Topic.RULES, re.compile(r".*\bnon ?negotiables?\b")),
    (Topic.CANON, re.compile(r"canon\b")),
    (Topic.MISSION, re.compile(r"(?:your |my |our |the )?mission\b")),
    (Topic.FOCUS, re.compile(r"(?:(?:current|this|the) )?(?:sprint )?focus\b")),
    (Topic.GIT, re.compile(r"git(?: workflow\b|$)")),
    (Topic.TASKS, re.compile(r"(?:(?:active|current|open|my|your|next|the) )*(?:tasks|task list)(?: *[-—–:(].*)?$")),
)
TASK_HEADING = re.compile(r"(?i:task)\s*#?\s*(?P<number>\d{1,9})(?!\w|\.\w)\s*(?P<rest>.*)", re.ASCII)
_NUMBER_SIGNS = re.compile(r"^(?:\d{1,3}(?:[.):]|\ufe0f?\u20e3)\s*)+")
_FRONT_SIGNS = re.compile(r"^[^\w\"'`(\[<*]+")


@dataclass(frozen=True, slots=True)
class Part:
    """A heading (None before the first) and the blocks up to the next one."""

    heading: Block | None
    blocks: tuple[Block, ...]


@dataclass(slots=True)
class Group:
    """What one heading covers: its own part and the parts below it that are nothing of their own."""

    topic: Topic
    head: Part
    below: list[Part] = field(default_factory=list)

    @property
    def level(self) -> int:
        return self.head.heading.level if self.head.heading else 0

    @property
    def title(self) -> str:
        return self.head.heading.text if self.head.heading else ""

    @property
    def line(self) -> int:
        """1-based."""
        return self.head.heading.start + 1 if self.head.heading else 1

    @property
    def parts(self) -> tuple[Part, ...]:
        return (self.head, *self.below)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks under the heading, the headings below it included."""
        below = (block for part in self.below for block in ((part.heading,) if part.heading else ()) + part.blocks)
        return (*self.head.blocks, *below)


def clean_title(text: str) -> str:
    """A title without bold marks, leading signs and the number in front."""
    plain = text.replace("**", "").strip()
    plain = _NUMBER_SIGNS.sub("", _FRONT_SIGNS.sub("", plain))
    return _FRONT_SIGNS.sub("", plain).strip() or plain.strip()


def task_heading(text: str) -> tuple[int, str] | None:
    """Number and title of a `Task N - title`."""
    found = TASK_HEADING.fullmatch(_FRONT_SIGNS.sub("", text.replace("**", "")).strip())
    return (int(found["number"]), re.sub(r"^(?:[-–—:.)]+\s*)+", "", found["rest"]).strip()) if found else None


def read_outline(blocks: Sequence[Block]) -> list[Group]:
    """Group the blocks by heading; the first group is the text before any heading."""
    groups: list[Group] = []
    for part in _parts(blocks):
        group = groups[-1] if groups else None
        topic = _topic(part)
        if group is not None and part.heading is not None and _covers(group, part.heading, topic):
            group.below.append(part)
        else:
            groups.append(Group(topic, part))
    return groups


def _parts(blocks: Sequence[Block]) -> Iterator[Part]:
    heading: Block | None = None
    own: list[Block] = []
    for block in blocks:
        if block.kind is Kind.HEADING:
            yield Part(heading, tuple(own))
            heading, own = block, []
        else:
            own.append(block)
    yield Part(heading, tuple(own))


def _topic(part: Part) -> Topic:
    if part.heading is None:
        return Topic.INTRO
    if task_heading(part.heading.text):
        return Topic.TASK
    words = " ".join(re.sub(r"[^\w\s—–:(-]", " ", clean_title(part.heading.text)).casefold().split())
    spoken = words.replace("-", " ")
    return next((topic for topic, form in _TOPICS if form.match(words) or form.match(spoken)), Topic.OTHER)


def _covers(group: Group, heading: Block, topic: Topic) -> bool:
    """A deeper heading belongs to the one above; below the rules it is always a rule, elsewhere it may start something."""
    if topic is Topic.TASK or group.topic in (Topic.INTRO, Topic.TASK):
        return False
    if group.topic is Topic.RULES:
        return heading.level > group.level
    return topic is Topic.OTHER and heading.level > max(group.level, 2)
