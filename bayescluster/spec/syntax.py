"""YAML as keys and values, within bounds: a file may come from anyone, and costs a second at most.

YAML 1.2 is read: ``NO`` is a country, not false, and a date is text. What an analysis has no use for is
refused at its place before anything is built: tags, directives, references that hold themselves or
multiply, keys that are lists, endless nesting and numbers of hundreds of digits.
"""

from __future__ import annotations

import io
import re
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from bayescluster.errors import ConfigError, Problem

MOST_CHARACTERS: Final = 250_000
MOST_NODES: Final = 10_000
"""Keys and values of a file, what references repeat counted as often as it is repeated."""
DEEPEST: Final = 30
LONGEST_TEXT: Final = 20_000
LONGEST_NUMBER: Final = 40
"""Characters of a number."""

NUMBER: Final = re.compile(r"[-+.\d][\w.+-]*")
STRANGE: Final = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Control characters and halves of characters: they would end up in terminals and pages."""

MENDS: Final = {
    "duplicate key": "keep one of them",
    "'\\t'": "indent with spaces, not with tabs",
    "mapping values are not allowed": "put text that holds a colon in quotes",
    "": "check indentation, quotes and brackets",
}
"""How to repair a fault, by what the YAML reader says of it; the first that fits holds."""


class _Constructor(RoundTripConstructor):
    """Builds dates as the text they are in YAML 1.2."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", RoundTripConstructor.construct_yaml_str)


def parse(text: str, file: str) -> Any:
    """Read YAML text; ``file`` is what messages call it.

    Raises
    ------
    ConfigError
        If it is not YAML, or goes beyond what an analysis needs; with line and column.
    """
    if len(text) > MOST_CHARACTERS:
        what = f"the file is too long: more than {MOST_CHARACTERS:,} characters"
        raise ConfigError(Problem(what, file, "check that this is the right file"))
    text = text.removeprefix("\ufeff")
    if strange := STRANGE.search(text):
        line = text.count("\n", 0, strange.start())
        column = strange.start() - text.rfind("\n", 0, strange.start()) - 1
        raise _refused(file, line, column, *_of_strange(strange[0]))
    yaml = YAML(typ="rt")
    yaml.Constructor = _Constructor
    try:
        screen = _Screen(file)
        for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
            screen.see(event)
        return yaml.load(io.StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        problem = str(error.problem or error.context).split("\n")[0]
        mend = next(mend for words, mend in MENDS.items() if words in problem)
        raise ConfigError(Problem(f"not valid YAML: {problem}", where, mend)) from None
    except YAMLError as error:
        first = str(error).split("\n")[0]
        raise ConfigError(Problem(f"not valid YAML: {first}", file)) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # what ruamel raises on text that no specification foresees
        mend = "write it as plain keys and values, without anchors and references"
        raise ConfigError(Problem("not valid YAML", file, mend)) from None


def _refused(file: str, line: int, column: int, what: str, mend: str) -> ConfigError:
    return ConfigError(Problem(what, f"{file}:{line + 1}:{column + 1}", mend))


def _of_strange(character: str) -> tuple[str, str]:
    return (
        f"the file holds a character that cannot be shown, U+{ord(character):04X}",
        "delete it, or write the text again",
    )


class _Screen:
    """Looks at the events of a file in their order, and refuses the first that goes too far."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[_Open] = []
        self._sizes: dict[str, int] = {}
        self._nodes = 0

    def see(self, event: Event) -> None:
        """Look at the next event."""
        match event:
            case MappingEndEvent() | SequenceEndEvent():
                self._close()
            case DocumentStartEvent():
                if event.version not in (None, (1, 2)) or event.tags:
                    self._refuse(event, "a directive is not used here", "delete the line")
            case NodeEvent():
                self._look(event)

    def _look(self, event: NodeEvent) -> None:
        parent = self._open[-1] if self._open else None
        if parent is not None and parent.expects_key() and not isinstance(event, ScalarEvent):
            self._refuse(event, "a key must be a word or a number", "write `key: value`")
        if tag := getattr(event, "tag", None):
            what = f"the tag '{_short(str(tag))}' is not used here"
            self._refuse(event, what, "delete it; put the value in quotes if it is text")
        size = 1
        if isinstance(event, AliasEvent):
            size = self._size_of(event)
        elif isinstance(event, ScalarEvent):
            self._look_at_text(event)
            if event.anchor:
                self._sizes[event.anchor] = 1
        self._nodes += size
        if self._nodes > MOST_NODES:
            what = f"the file holds more than {MOST_NODES:,} keys and values"
            self._refuse(event, what, "write the analysis without references, and shorter")
        if parent is not None:
            parent.seen += 1
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            if len(self._open) == DEEPEST:
                what = f"keys and lists are nested more than {DEEPEST} deep"
                self._refuse(event, what, "an analysis needs less: check the brackets")
            is_mapping = isinstance(event, MappingStartEvent)
            # size counted from the node itself
            self._open.append(_Open(is_mapping, event.anchor, self._nodes - 1))

    def _look_at_text(self, event: ScalarEvent) -> None:
        value = str(event.value)
        if len(value) > LONGEST_TEXT:
            what = f"the text has more than {LONGEST_TEXT:,} characters"
            self._refuse(event, what, "shorten it")
        if not event.style and len(value) > LONGEST_NUMBER and NUMBER.fullmatch(value):
            what = f"the number has more than {LONGEST_NUMBER} digits"
            self._refuse(event, what, "put it in quotes if it is text")
        if strange := STRANGE.search(value):
            self._refuse(event, *_of_strange(strange[0]))

    def _size_of(self, event: AliasEvent) -> int:
        if any(place.anchor == event.anchor for place in self._open):
            what = f"'*{_short(event.anchor)}' stands inside what it refers to"
            self._refuse(event, what, "write out what is meant")
        # one that is not known is refused by the reader itself
        return self._sizes.get(event.anchor, 1)

    def _close(self) -> None:
        place = self._open.pop()
        if place.anchor:
            self._sizes[place.anchor] = self._nodes - place.before

    def _refuse(self, event: Event, what: str, mend: str) -> None:
        mark = event.start_mark
        raise _refused(self._file, mark.line, mark.column, what, mend)


class _Open:
    """A mapping or a list that has begun; ``before`` counts the nodes that came before it."""

    def __init__(self, is_mapping: bool, anchor: str | None, before: int) -> None:
        self.is_mapping, self.anchor, self.before = is_mapping, anchor, before
        self.seen = 0

    def expects_key(self) -> bool:
        """Whether the next node is a key."""
        return self.is_mapping and self.seen % 2 == 0


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
