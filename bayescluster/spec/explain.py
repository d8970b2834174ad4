"""Every key of an analysis file in words: from its schema, and from the guide that the repository shows.

What an analysis file can hold: its JSON Schema, and the file that ``bayescluster init`` writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from bayescluster.errors import ConfigError, Problem
from bayescluster.lookup import suggestion
from bayescluster.spec.analysis import Analysis

GUIDE: Final = "guide.md"
DEEPEST: Final = 12
"""Keys within keys; no file goes deeper."""
KINDS: Final = ("kind", "distribution", "package")
"""Keys by whose value the others of a block are chosen."""
TYPES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
SCALAR: Final = ("text", "a whole number", "a number", "true or false")
ANY: Final = "a value"
"""Stands for all of these."""
TOPICS: Final[Mapping[str, str]] = {
    "derive": "Derived columns",
    "fix": "Corrections",
    "missing_values": "Reading tables",
    "encoding": "Reading tables",
    "delimiter": "Reading tables",
    "decimal": "Reading tables",
    "thousands": "Reading tables",
    "sheet": "Reading tables",
    "header_row": "Reading tables",
    "source": "Reading tables",
    "weight": "Survey weights",
    "cluster_weight": "Survey weights",
    "r2d2m2": "The R2D2M2 prior",
    "weakest_node": "The weakest node",
    "missing": "Missing values inside the model",
    "structure": "Structural forms",
    "hypotheses": "Claims",
    **dict.fromkeys(("level", "min_support", "rope"), "Verdicts"),
    "causes": "Probabilities of causation",
    "multiverse": "Multiverse",
    "sets": "Sets",
    "from": "Priors from coded cases",
    "ceilings": "Ceilings",
    "ceiling_models": "Ceilings",
}
"""Sections of the guide by the key they are about."""
SYNONYMS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            *("verdict", "supported", "rejected", "undecided", "not assessable", "negligible"),
            *("scale dependent", "depends on the form", "gate", "corner", "corners"),
        ),
        "Verdicts",
    ),
    **dict.fromkeys(("claim", "necessary", "necessity", "sufficient", "not sufficient"), "Claims"),
    "necessary not sufficient": "hypotheses[necessary_not_sufficient]",
    "joint sufficiency": "hypotheses[joint_sufficiency]",
    "complementarity": "hypotheses[complementarity]",
    "complements": "hypotheses[complementarity]",
    "forms": "structure",
    "filter": "data.keep",
    "subset": "data.keep",
    "drop": "data.exclude",
    "duplicates": "data.exclude",
    "recode": "derive",
    "lag": "derive",
    "dummy": "controls",
    "covariates": "controls",
    "offset": "exposure",
    "weights": "weight",
    "likelihood": "family",
    "distribution": "family",
    "link": "family",
    "dependent": "outcome",
    "panel": "contextual",
    "mundlak": "contextual",
    "random effects": "varying",
    "fixed effects": "varying",
    "random": "varying",
    "reverse": "direction",
    "threshold": "theta",
    "interaction": "structure",
    "hypothesis": "hypotheses",
    "imputation": "missing",
    "labels": "missing_values",
    "excel": "sheet",
    "csv": "source",
}
"""Keys by what other programs call them."""


class Key(NamedTuple):
    """A key of an analysis file: its place, what it means and takes, and what holds without it.

    ``NAME`` in a place is a name of the user's, ``[...]`` an item of a list, of one kind if it says so.
    """

    place: str
    meaning: str
    takes: str
    default: str
    inside: tuple[str, ...]

    @property
    def name(self) -> str:
        """The key itself."""
        return self.place.rsplit(".", 1)[-1].split("[")[0]


@lru_cache(maxsize=1)
def keys() -> tuple[Key, ...]:
    """Every key of an analysis file, in the order of the file."""
    schema = Analysis.model_json_schema()
    return tuple(_keys(schema, schema["$defs"], ""))


def _keys(node: Mapping[str, Any], known: Mapping[str, Any], place: str) -> Iterator[Key]:
    if place.count(".") >= DEEPEST:
        return
    required = node.get("required", ())
    for name, value in node.get("properties", {}).items():
        if "const" in value and name in KINDS:
            continue
        here = f"{place}.{name}" if place else name
        default = "required" if name in required else _default(value)
        inner = tuple(_blocks(value, known, here))
        inside = dict.fromkeys(
            key for block, _ in inner for key in block.get("properties", ()) if key not in KINDS
        )
        yield Key(here, _text(value, known), _takes(value, known), default, tuple(inside))
        for block, within in inner:
            yield from _keys(block, known, within)


def _resolved(node: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in node:
        return node
    return {
        **known[node["$ref"].rsplit("/", 1)[-1]],
        **{k: v for k, v in node.items() if k != "$ref"},
    }


def _blocks(
    node: Mapping[str, Any], known: Mapping[str, Any], place: str
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Blocks of keys that a value may be or hold, each with its place."""
    node = _resolved(node, known)
    several = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    for one in several:
        yield from _blocks(one, known, place)
    if several:
        return
    if node.get("type") == "array" and isinstance(node.get("items"), Mapping):
        yield from _blocks(node["items"], known, f"{place}[]")
    elif named := [*_named(node)]:
        for one in named:
            yield from _blocks(one, known, f"{place}.NAME")
    elif "properties" in node:
        kind = _kind(node)
        yield node, f"{place.removesuffix('[]')}[{kind}]" if kind else place


def _named(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Values of a block whose keys are names of the user's."""
    yield from node.get("patternProperties", {}).values()
    if isinstance(node.get("additionalProperties"), Mapping):
        yield node["additionalProperties"]


def _kind(node: Mapping[str, Any]) -> str:
    for name in KINDS:
        value = node["properties"].get(name, {})
        if "const" in value:
            return str(value["const"])
        if "enum" in value and name in node.get("required", ()):
            return " | ".join(map(str, value["enum"]))
    return ""


def _text(node: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    text = node.get("description") or _resolved(node, known).get("description", "")
    return " ".join(str(text).split()).replace("``", "`")


def _default(node: Mapping[str, Any]) -> str:
    value = node.get("default")
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value) if value != [] else ""


def _takes(node: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """What a value may be, in words."""
    node = _resolved(node, known)
    if "const" in node:
        return str(node["const"])
    if "enum" in node:
        return ", ".join(map(str, node["enum"]))
    if several := [*node.get("anyOf", ()), *node.get("oneOf", ())]:
        words = [_takes(one, known) for one in several if one.get("type") != "null"]
        rest = [word for word in words if word not in SCALAR]
        words = [ANY, *rest] if set(SCALAR) <= set(words) else words
        return " or ".join(dict.fromkeys(words))
    match node.get("type"):
        case "array":
            items = node.get("items")
            what = _takes(items, known) if isinstance(items, Mapping) else "values"
            return "a list of keys with values" if what == "keys with values" else f"a list: {what}"
        case "object":
            return "keys with values"
        case str() as kind:
            return TYPES.get(kind, kind) + _bounds(node)
    return ANY


def _bounds(node: Mapping[str, Any]) -> str:
    signs = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
    }
    parts = [f"{words} {node[name]:g}" for name, words in signs.items() if name in node]
    return f" {', '.join(parts)}" if parts else ""


@lru_cache(maxsize=1)
def guide() -> str:
    """The guide to analysis files, as markdown."""
    return files("bayescluster.spec").joinpath(GUIDE).read_text(encoding="utf-8")


def sections() -> dict[str, str]:
    """Sections of the guide by their title, without it."""
    parts = re.split(r"^## (.+)$", guide(), flags=re.MULTILINE)
    return {title: body.strip() for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def explained(asked: str) -> str:
    """Explain a key, by its name or its place, or a section of the guide.

    Raises
    ------
    ConfigError
        If there is neither.
    """
    wanted = asked.strip().strip("`").rstrip(":")
    known_keys = {key.name for key in keys()}
    if wanted not in known_keys:
        wanted = SYNONYMS.get(re.sub(r"[-_ ]+", " ", wanted.casefold()), wanted)
    plain = re.sub(r"\[[^\]]*\]", "", wanted)
    found = [
        key
        for key in keys()
        if key.place == wanted or ("[" in wanted and key.place.startswith(f"{wanted}."))
    ] or [
        key
        for key in keys()
        if key.name == plain.rsplit(".", 1)[-1]
        and re.sub(r"\[[^\]]*\]|\.NAME", "", f".{key.place}").endswith(f".{plain}")
    ]
    titles = {title.casefold(): title for title in sections()}
    title = titles.get(wanted.casefold(), TOPICS.get(wanted.rsplit(".", 1)[-1], ""))
    if not found and not title:
        known = [*dict.fromkeys(key.name for key in keys()), *titles]
        raise ConfigError(
            Problem(f"there is no key or topic '{asked}'", "KEY", suggestion(wanted, known))
        )
    parts = [_shown(alike) for alike in _alike(found)]
    if title:
        parts.append(f"{title}\n\n{sections()[title]}")
    return "\n\n".join(parts)


def _alike(found: list[Key]) -> list[list[Key]]:
    """Keys that say the same in several places, together."""
    groups: dict[tuple[str, str, str], list[Key]] = {}
    for key in found:
        groups.setdefault((key.meaning, key.takes, key.default), []).append(key)
    return list(groups.values())


def _shown(alike: list[Key]) -> str:
    first = alike[0]
    lines = [key.place for key in alike]
    if first.meaning:
        lines.append(f"  {first.meaning}")
    lines.append(f"  takes: {first.takes}")
    if first.default:
        lines.append(
            f"  {'required' if first.default == 'required' else f'default: {first.default}'}"
        )
    if first.inside:
        lines.append(f"  its keys: {', '.join(first.inside)}")
    return "\n".join(lines)


def whole_guide() -> str:
    """The guide with a table of all keys: ``configs/README.md``."""
    rows = [
        f"| `{key.place}` | {_cell(key.takes)} | {_cell(key.default)} | {_cell(key.meaning)} |"
        for key in keys()
    ]
    head = (
        "## All keys\n\n`NAME` is a name of yours; `[...]` an item of a list, of that kind.\n\n"
        "| key | takes | default | meaning |\n|---|---|---|---|\n"
    )
    return f"{guide().rstrip()}\n\n{head}{'\n'.join(rows)}\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def schema_text() -> str:
    """JSON Schema (draft 2020-12) of an analysis file, as an editor wants it."""
    draft = "https://json-schema.org/draft/2020-12/schema"
    schema = {"$schema": draft, "title": ""} | Analysis.model_json_schema()
    schema["title"] = "bayescluster analysis"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


STARTER: Final = """\
# An analysis for bayescluster. Replace the names of columns by those of your data, then:
#   bayescluster validate THIS_FILE      checks it against the data
#   bayescluster run THIS_FILE           fits it and writes the report
name: my-analysis
description: What is asked, in a sentence.
limits:
  - What these data cannot say.

data:
  source: firms.csv            # csv, xlsx, dta, sav, parquet, ...; relative to this file
  firm: firm_id                # leave out if every row is a firm
  cluster: cluster
  industry: industry
  missing_values: []           # codes that mean "no answer", such as -9
  missing: error               # or drop: rows are counted by variable and cluster
                               # or impute: outcomes, controls, capitals, inside the model

constructs:                    # method: single, mean (of standardised indicators), pca, or latent:
                               # measured in the model, so that errors of answers reach the effects
  human_capital:
    indicators: [tertiary_share, training_hours]
    method: mean
  social_capital:
    indicators: [trust, joint_action]
    method: mean

equations:
  upgrading:
    outcome: product_upgrading
    family: bernoulli          # or probit, binomial, beta, gaussian, student_t, lognormal, poisson,
                               # negative_binomial, ordinal; with many zeros hurdle_lognormal,
                               # zero_inflated_beta, zero_inflated_poisson or
                               # zero_inflated_negative_binomial
    # structure: left out, claims about corners are judged by the forms interaction, conjunctive,
    # ces and additive, each fitted in turn; write one or several to choose: [interaction, ces]
    controls:
      - {column: employees, transform: log}
    varying:
      industry: all            # what each form lets vary as a rule
      cluster: [intercept]

sampling: {seed: 1}            # draws come until the checks of convergence pass, for at most
                               # minutes: 10; or say how many: draws: 1000, tune: 1000

hypotheses:
  # without the capital at most ratio of the outcome with both, and the other one alone covers at most
  # kappa of the way; with it alone at most theta_not, and delta below both
  - {kind: necessary_not_sufficient, capital: human_capital, by: industry, kappa: 0.40, theta_not: 0.50}
  - {kind: necessary_not_sufficient, capital: social_capital, by: industry, kappa: 0.40, theta_not: 0.50}
  - {kind: complementarity, by: industry}
  - {kind: difference, capital: human_capital}
"""
