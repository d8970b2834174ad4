"""What is said of the keys of an analysis file, on the command line and in the guide."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bayescluster.errors import ConfigError
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.data import Data
from bayescluster.spec.explain import SYNONYMS, TOPICS, explained, keys, sections, whole_guide
from tests.cli.small import call

ROOT = Path(__file__).parents[2]
PLACES = {key.place: key for key in keys()}


def test_the_guide_of_the_repository_is_the_one_that_is_explained():
    written = (ROOT / "configs" / "README.md").read_text(encoding="utf-8")
    assert written == whole_guide(), "bayescluster explain --guide > configs/README.md"
    assert call("explain", "--guide").out == written


def test_every_key_is_explained():
    assert set(Analysis.model_fields) <= set(PLACES)
    for field in Data.model_fields:
        assert PLACES[f"data.{field}"].meaning, field
    for place in (
        "equations.NAME.controls[].spline",
        "equations.NAME.priors.from.strength",
        "equations.NAME.varying.NAME.correlated",
        "hypotheses[complementarity].margin",
        "traditions.sets.conditions[].column",
    ):
        assert place in PLACES


def test_topics_are_sections_and_keys():
    names = {key.name for key in keys()}
    assert set(TOPICS) <= names
    assert set(TOPICS.values()) <= set(sections())


def test_a_key_by_its_name_and_by_its_place():
    assert explained("direction").startswith("constructs.NAME.indicators[].direction\n")
    assert explained("data.crossed") == (
        "data.crossed\n"
        "  True where a cluster may hold firms of several industries; else nesting is verified.\n"
        "  takes: true or false\n"
        "  default: false"
    )
    # nothing is said of a default where there is none, or none that has a value
    assert explained("description") == (
        "description\n  What is asked, in a sentence or two; printed in the report.\n  takes: text"
    )
    found = explained("hypotheses[effect].margin")
    assert found.startswith("hypotheses[effect].margin\n  Smallest effect on the outcome scale")
    assert "difference" not in found


@pytest.mark.parametrize("asked", ["derive", "data.derive", "Derived columns", "derived COLUMNS"])
def test_the_syntax_of_derive_stands_in_the_guide(asked):
    found = explained(asked)
    for derivation in Data.model_json_schema()["properties"]["derive"]["items"]["discriminator"][
        "mapping"
    ]:
        if derivation not in ("log1p", "sqrt", "at_least"):
            assert f"kind: {derivation}, name:" in found


def test_examples_of_the_guide_can_be_read():
    yaml = YAML(typ="safe")
    for title in ("Reading tables", "Corrections", "Derived columns"):
        block = sections()[title].split("```yaml\n")[1].split("```")[0]
        data = {"source": "firms.csv"} | yaml.load(block)["data"]
        Data.model_validate(data)


def test_what_there_is_not():
    with pytest.raises(
        ConfigError, match="there is no key or topic 'missng'\n    did you mean 'missing'"
    ):
        explained("missng")
    assert call("explain", "missng").code == 2


def test_all_keys_are_listed():
    assert call("explain").out.splitlines() == list(PLACES)


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ("filter", "data.keep"),
        ("random effects", "equations.NAME.varying"),
        ("Panel", "contextual"),
    ],
)
def test_words_of_other_programs_lead_to_the_key(asked, place):
    assert place in explained(asked).splitlines()[0]


def test_synonyms_stand_for_keys_that_exist():
    assert all(explained(word) for word in SYNONYMS)
