from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bayescluster.errors import ConfigError
from bayescluster.runs.keys import resolved
from bayescluster.spec.load import dotted, load, load_analysis, yaml_text
from bayescluster.spec.scenario import Scenario
from tests.helpers import row

ROOT = Path(__file__).parents[2]
VALID = """\
name: test
data:
  source: firms.csv
  firm: firm_id
  cluster: cluster
  industry: industry
constructs:
  human_capital: {indicators: [a], method: single}
  social_capital: {indicators: [b, c], method: mean}
equations:
  upgrading:
    outcome: y
    family: bernoulli
    structure: interaction
    controls: [{column: size, transform: log}, exporter]
    varying:
      industry: [intercept, human_capital]
      cluster: {terms: [intercept], centred: true}
    priors:
      terms: {human_capital: {distribution: normal, sd: 2}}
sampling: {draws: 1000, chains: 4}
hypotheses:
  - {kind: effect, capital: human_capital}
  - {kind: necessary, capital: social_capital, eps: 0.2}
"""
HEAD = "The analysis cannot be read"

# what is replaced in the text above, by what, and the message, F standing for the file
FAULTS = {
    "unknown key nested": row(
        "  cluster: cluster\n",
        "  clustr: cluster\n",
        ":\n  F:5:3: unknown key 'clustr'\n    did you mean 'cluster'?",
    ),
    "unknown key in prior": row(
        "sd: 2",
        "sdd: 2",
        " (2 problems):\n  F:20:15: the key 'sd' is missing\n    add `sd:`\n  F:20:53: unknown key 'sdd'\n    did you mean 'sd'?",
    ),
    "unknown key in varying": row(
        "centred: true",
        "centered: true",
        ":\n  F:18:37: unknown key 'centered'\n    did you mean 'centred'?",
    ),
    "wrong transform": row(
        "transform: log",
        "transform: ln",
        ":\n  F:15:31: unknown transform 'ln'\n    known: none, log, log1p, sqrt, square",
    ),
    "empty term": row(
        "[intercept, human_capital]", "[intercept, '']", ":\n  F:17:29: term must be text, not ''"
    ),
    "unknown key of a claim": row(
        "capital: human_capital}\n  - {kind: nec",
        "capital: human_capital, kapa: 0.4}\n  - {kind: nec",
        ":\n  F:23:44: unknown key 'kapa'\n    known: by, scope, level, capital, direction, margin, "
        "rope, kind, measure",
    ),
    "a claim of no kind": row(
        "{kind: effect, capital",
        "{capital",
        ":\n  F:23:5: the key 'kind' is missing\n    say which one by `kind:`; known: effect, "
        "contextual, difference, necessary, sufficient, not_sufficient, necessary_not_sufficient, "
        "joint_sufficiency, complementarity",
    ),
    "an anchor that is no number": row(
        "eps: 0.2",
        "anchors: {human_capital: {low: .nan, high: 2}}",
        ":\n  F:24:74: low must be a finite number, not nan",
    ),
    "empty column": row(
        "cluster: cluster\n",
        "cluster: ''\n",
        ":\n  F:5:3: cluster must be text, not ''",
    ),
    "one chain without draws": row(
        "draws: 1000, chains: 4",
        "chains: 1",
        ":\n  F:21:1: without draws the chains go on until they agree with each other, and there is "
        "only 1: run at least 2 chains, or give draws",
    ),
    "missing source": row(
        "  source: firms.csv\n",
        "",
        ":\n  F:2:1: the key 'source' is missing\n    add `source:` (Path of a table (relative to this file), or a package)",
    ),
    "name is number": row(
        "name: test",
        "name: 12",
        ":\n  F:1:1: name must be text, not 12\n    put it in quotes: '12'",
    ),
    "focus on nothing": row(
        "sampling: {",
        "focus: upgradng\nsampling: {",
        ":\n  F:1:1: focus names 'upgradng', which is not an equation\n    did you mean 'upgrading'?",
    ),
    "forms of two equations": row(
        "sampling: {",
        "  second: {outcome: z, family: poisson, structure: [additive, ces]}\nsampling: {",
        ":\n  F:1:1: several structural forms are compared for one equation at a time\n"
        "    leave one form in each equation, or one equation in the file",
    ),
    "indent": row(
        "    family: bernoulli",
        "   family: bernoulli",
        ":\n  F:13:4: not valid YAML: expected <block end>, but found '<block mapping start>'\n    check indentation, quotes and brackets",
    ),
    "product extra": row(
        "exporter]",
        "{product: [size, exporter], colum: x}]",
        ":\n  F:15:76: unknown key 'colum'\n    did you mean 'column'?",
    ),
    "level out": row(
        "eps: 0.2", "level: 0.4", ":\n  F:24:48: level must be greater than 0.5, not 0.4"
    ),
    "nan": row("sd: 2", "sd: .nan", ":\n  F:20:53: sd must be a finite number, not nan"),
    "indicator direction": row(
        "indicators: [a]",
        "indicators: [{column: a, direction: down}]",
        ":\n  F:8:44: unknown direction 'down'\n    known: positive, negative",
    ),
    "prior of group": row(
        "      terms: {human_capital",
        "      group_sd: {cluster: {distribution: normal, sd: 1}}\n      terms: {human_capital",
        ":\n  F:20:18: unknown distribution 'normal'\n    did you mean 'lognormal'?",
    ),
    "anchors key": row(
        "eps: 0.2",
        "anchors: {human: {low: 1, high: 2}}",
        ":\n  F:24:58: unknown name in anchors 'human'\n    known: human_capital, social_capital",
    ),
    "anchor that is no number": row(
        "eps: 0.2",
        "anchors: {human_capital: {low: few, high: 2}}",
        ":\n  F:24:74: low must be a number, not 'few'",
    ),
    "anchor of an indicator that is no number": row(
        "eps: 0.2",
        "anchors: {human_capital: {low: {a: few}, high: {a: 2}}}",
        ":\n  F:24:80: a must be a number, not 'few'",
    ),
    "anchors of two kinds": row(
        "eps: 0.2",
        "anchors: {human_capital: {low: {a: 1}, high: 2}}",
        ":\n  F:24:58: low and high must be of one kind\n"
        "    give two numbers, or the indicators for both",
    ),
    "a new industry by industry": row(
        "eps: 0.2",
        "scope: new_industry",
        ":\n  F:24:5: by: industry cannot ask about a new industry\n"
        "    add `by: all`, or use another scope",
    ),
    "a difference in a new industry": row(
        "kind: effect,",
        "kind: difference, scope: new_industry,",
        ":\n  F:23:5: a difference is between industries of the data\n"
        "    use another scope than new_industry",
    ),
    "structure intercept with constructs": row(
        "structure: interaction",
        "structure: intercept",
        ":\n  F:1:1: structure 'intercept' uses neither capital: leave out constructs and hypotheses",
    ),
}


@pytest.fixture
def refused(tmp_path):
    """The whole message of a file that cannot be read, F standing for its path."""

    def run(text: str | bytes) -> str:
        path = tmp_path / "a.yaml"
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_analysis(path)
        assert caught.value.exit_code == 2
        return str(caught.value).replace(str(path), "F")

    return run


@pytest.fixture
def read(tmp_path):
    def run(text: str):
        path = tmp_path / "a.yaml"
        path.write_text(text, encoding="utf-8")
        return load_analysis(path)

    return run


def test_the_text_that_is_broken_below_is_valid(read):
    found = read(VALID)
    assert found.value.name == "test"
    assert found.value.equation.family == "bernoulli"
    assert [claim.kind for claim in found.value.hypotheses] == ["effect", "necessary"]


@pytest.mark.parametrize(("before", "after", "message"), FAULTS.values(), ids=FAULTS)
def test_messages(before, after, message, refused):
    assert VALID.count(before) >= 1
    assert refused(VALID.replace(before, after, 1)) == HEAD + message


NO_MAPPING = (
    "F:1:1: the analysis file must be a mapping of keys to values\n"
    "    start it with `name:`, or write one with `bayescluster init`"
)
PUNCTUATION = "\n    check indentation, quotes and brackets"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        *((text, NO_MAPPING) for text in ("", "# nothing\n", "hello", "- a\n- b\n", "3\n")),
        ("a: 1\n---\nb: 2\n", f"F:2:1: not valid YAML: but found another document{PUNCTUATION}"),
        ("name: *x\n", f"F:1:7: not valid YAML: found undefined alias 'x'{PUNCTUATION}"),
        (b"name: \xff\xfe", "F: the analysis file is not UTF-8 text\n    save it as UTF-8"),
    ],
)
def test_no_analysis_at_all(text, message, refused):
    assert refused(text) == f"The analysis cannot be read:\n  {message}"


@pytest.mark.parametrize("word", ["NO", "no", "yes", "Off", "on", "Y"])
def test_words_stay_text(word, read):
    """YAML 1.2: Norway is a country."""
    found = read(
        VALID.replace("  firm: firm_id\n", f"  keep: [{{column: geo, one_of: [{word}]}}]\n")
    )
    assert found.value.data.keep[0].one_of == (word,)


def test_scalars_keep_their_type(read):
    filters = "  keep: [{column: geo, one_of: [true, 1, 1.5, '1', 012, 1e3]}]\n"
    (found,) = read(VALID.replace("  firm: firm_id\n", filters)).value.data.keep
    assert [(type(value), value) for value in found.one_of] == [
        (bool, True),
        (int, 1),
        (float, 1.5),
        (str, "1"),
        (int, 12),
        (float, 1000.0),
    ]


def test_two_chains_can_agree_with_each_other(read):
    found = read(VALID.replace("draws: 1000, chains: 4", "chains: 2")).value
    assert (found.sampling.draws, found.sampling.chains) == (None, 2)


def test_what_was_read_cannot_change(read):
    analysis = read(VALID).value
    with pytest.raises(ValidationError):
        analysis.name = "other"
    with pytest.raises(ValidationError):
        analysis.equation.priors.terms["human_capital"].sd = 3.0
    with pytest.raises(ValidationError):
        analysis.hypotheses[0].level = 0.9


def test_places_and_folder(read, tmp_path):
    found = read(VALID)
    assert found.directory == tmp_path.resolve()
    where = found.source.where
    file = str(tmp_path / "a.yaml")
    assert where(("data", "cluster")) == f"{file}:5:3"
    assert where(("equations", "upgrading", "controls", 1)) == f"{file}:15:48"
    # the nearest one above a key that is not there
    assert where(("hypotheses", 1, "theta")) == f"{file}:24:5"
    assert where(()) == f"{file}:1:1"


def test_places_of_keys_merged_from_an_anchor(tmp_path):
    text = VALID.replace("  upgrading:", "  upgrading: &same").replace(
        "sampling:", "  process:\n    <<: *same\n    outcome: z\n  only: {<<: *same}\nsampling:"
    )
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    loaded = load_analysis(path)
    assert loaded.value.equations["process"].family == "bernoulli"
    where = loaded.source.where
    assert where(("equations", "process", "outcome")) == f"{path}:23:5"
    # a merged key stands where its anchor has it
    for name in ("upgrading", "process", "only"):
        assert where(("equations", name, "varying", "industry")) == f"{path}:17:7"


def test_an_analysis_is_written_as_it_is_read(read, tmp_path):
    written = yaml_text(resolved(read(VALID).value))
    (tmp_path / "b.yaml").write_text(written, encoding="utf-8")
    assert load_analysis(tmp_path / "b.yaml").value == read(VALID).value


def test_places_without_a_file():
    assert dotted(("hypotheses", 1, "eps")) == "hypotheses.1.eps"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.name)
def test_shipped_analyses_are_valid(path):
    found = load_analysis(path)
    assert found.value.description


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs" / "scenarios").glob("*.yaml")), ids=lambda p: p.name
)
def test_shipped_scenarios_are_valid(path):
    assert load(path, Scenario, "scenario file").value.industries
