"""What pydantic found, in the words of a user: the fault and its mend."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bayescluster.lookup import suggestion

Path_ = tuple[str | int, ...]

EXPECTED = {
    "bool": "true or false",
    "dict": "keys with values",
    "finite": "a finite number",
    "float": "a number",
    "int": "a whole number",
    "model": "keys with values",
    "string": "text",
    "tuple": "a list",
}
"""What a value must be, by the first word of pydantic's type of fault."""

ANCHOR_TAGS = ("of_score", "by_indicator")
"""Tags of the kinds of anchors: ``low`` or ``high`` stands before them."""

PATTERNS = {
    r"^[A-Za-z][A-Za-z0-9_-]*$": "use letters, digits, - and _, with a letter first",
    r"^[A-Za-z0-9._]+/[A-Za-z0-9._]+$": "write COLLECTION/NAME, for example Ecdat/PatentsRD",
}
"""Patterns of names in words."""


def words(detail: ErrorDetails, path: Path_, model: type[BaseModel]) -> tuple[str, str]:
    """Say in plain words what pydantic found: the fault, and its mend or nothing.

    Parameters
    ----------
    detail
        One fault.
    path
        Place of the value in the file, tags of unions included.
    model
        What the file is read into.
    """
    key = _key(path)
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown key '{key}'", suggestion(key, _known_keys(path[:-1], model))
        case "missing":
            return f"the key '{key}' is missing", f"add `{key}:`{_described(path, model)}"
        case "literal_error" | "enum":
            return _unknown_value(detail, key, str(context.get("expected", "")))
        case "union_tag_invalid":
            tag = str(context["tag"])
            known = _quoted(str(context["expected_tags"]))
            return (
                f"unknown {str(context['discriminator']).strip(chr(39))} '{tag}'",
                suggestion(tag, known),
            )
        case "union_tag_not_found":
            named = str(context["discriminator"]).strip("'")
            return f"the key '{named}' is missing", _one_of(named, path, model)
        case "too_long" | "too_short":
            return _wrong_count(detail, key)
        case "value_error":
            return _without_mend(str(context.get("error", detail["msg"])))
        case "string_pattern_mismatch":
            return (
                f"'{detail['input']}' cannot be the {key}",
                PATTERNS.get(context["pattern"], f"it must match {context['pattern']}"),
            )
        case _:
            return _not_as_expected(detail, key, path)


def _wrong_count(detail: ErrorDetails, key: str) -> tuple[str, str]:
    context, given = detail.get("ctx", {}), len(detail["input"])
    if "max_length" in context:
        most = context["max_length"]
        return f"{key} takes at most {most}, {given} given", ""
    return f"{key} needs at least {context['min_length']}, {given} given", ""


def _unknown_value(detail: ErrorDetails, key: str, expected: str) -> tuple[str, str]:
    found = str(detail["input"])
    return f"unknown {key} '{found}'", suggestion(found, _quoted(expected))


def _quoted(text: str) -> list[str]:
    return [part.strip(" '") for part in text.replace(" or ", ", ").split(",") if part.strip()]


def _key(path: Path_) -> str:
    """What a message calls the value at a place."""
    named = [step for step in path if isinstance(step, str)]
    key = named[-1] if named else ""
    if key == "[key]":
        return f"name in {path[-3]}" if len(path) > 2 else "name"
    if key == "varying" and len(named) > 1 and named[-2] != "varying" and "varying" in named[:-1]:
        # the last step is the tag of the union: its grouping stands before it
        return named[-2]
    if key in ANCHOR_TAGS and "anchors" in named:
        return named[-2]
    return "term" if key == "terms" else key


def _one_of(key: str, path: Path_, model: type[BaseModel]) -> str:
    fields = [
        known.model_fields[key] for known in _models_at(path, model) if key in known.model_fields
    ]
    known = [value for field in fields for value in get_args(field.annotation)]
    return f"say which one by `{key}:`; known: {', '.join(dict.fromkeys(map(str, known)))}"


def _without_mend(message: str) -> tuple[str, str]:
    """Divide what a validator said: the mend stands after a semicolon."""
    what, _, mend = message.partition("; ")
    return what, mend


def _not_as_expected(detail: ErrorDetails, key: str, path: Path_) -> tuple[str, str]:
    kind, given = detail["type"].split("_", maxsplit=1)[0], detail["input"]
    message = detail["msg"]
    must = f"must be {EXPECTED[kind]}" if kind in EXPECTED else message[:1].lower() + message[1:]
    must = must.replace("input should be", "must be")
    if path[-1] == "varying":
        must = "must be a list of terms"
    found = "but is empty" if given is None else f"not {_shown(given)}"
    return f"{key} {must}, {found}", _mend_of(kind, given, path)


def _mend_of(kind: str, given: Any, path: Path_) -> str:
    if given is None:
        return "write a value after the colon, or leave the key out"
    if path[-1] == "varying":
        return f"list the terms that vary: [{given}]"
    if kind == "tuple" and isinstance(given, str | int | float):
        return f"put it in brackets: [{given}]"
    if kind == "string" and isinstance(given, bool | int | float):
        return f"put it in quotes: '{given}'"
    return ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _described(path: Path_, model: type[BaseModel]) -> str:
    for known in _models_at(path[:-1], model):
        field = _fields(known).get(str(path[-1]))
        if field is not None and field.description:
            return f" ({field.description.rstrip('.').replace('``', '`')})"
    return ""


def _known_keys(path: Path_, model: type[BaseModel]) -> list[str]:
    return [name for known in _models_at(path, model) for name in _fields(known)]


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Fields by their keys in the file, which are not always their names in Python."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models_at(path: Path_, model: type[BaseModel]) -> list[type[BaseModel]]:
    """Models that may stand at a place of the file."""
    models = [model]
    for step in path:
        by_key = [_fields(known) for known in models]
        fields = [keys[str(step)] for keys in by_key if step in keys]
        if fields:
            found = [item for field in fields for item in _models_in(field.rebuild_annotation())]
            # a key that holds no model can only be a union tag of the same name here
            models = found or models
            continue
        tagged = [known for known in models if _is_tagged(known, str(step))]
        models = tagged or models
    return models


def _is_tagged(model: type[BaseModel], tag: str) -> bool:
    return any(
        get_origin(field.annotation) is Literal and tag in get_args(field.annotation)
        for name, field in model.model_fields.items()
        if name in {"kind", "distribution"}
    )


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not None or isinstance(annotation, UnionType):
        for part in get_args(annotation):
            if get_origin(annotation) is not Literal and part is not Union:
                yield from _models_in(part)
