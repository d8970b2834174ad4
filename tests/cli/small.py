"""A small valid analysis with its firms, and ways to change both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from typer.testing import CliRunner

from bayescluster.cli.main import app

ANALYSIS = """\
name: small
data:
  source: firms.csv
  firm: firm
  cluster: cluster
  industry: industry
constructs:
  human_capital: {indicators: [training], method: single}
  social_capital: {indicators: [trust], method: single}
equations:
  upgrading:
    outcome: upgraded
    family: bernoulli
    structure: interaction
    controls: [{column: size, transform: log}]
    varying:
      industry: [intercept, human_capital]
      cluster: [intercept]
sampling: {draws: 500, tune: 500, chains: 2, seed: 1}
hypotheses:
  - {kind: effect, capital: human_capital, by: industry}
"""

FIRMS = """\
firm,cluster,industry,training,trust,size,staff,region,upgraded,patents,trials,grade
f01,Sialkot,Goods,12,4,20,10,north,0,0,3,low
f02,Sialkot,Goods,30,5,35,17,south,1,2,4,mid
f03,Sialkot,Goods,7,2,50,25,north,0,1,2,low
f04,Sialkot,Goods,22,3,18,9,south,1,0,5,high
f05,Ludhiana,Goods,15,5,90,45,north,0,3,3,mid
f06,Ludhiana,Goods,41,1,41,20,south,1,0,2,low
f07,Ludhiana,Goods,9,4,12,6,north,0,1,4,mid
f08,Penang,Electronics,28,2,200,99,south,1,4,6,high
f09,Penang,Electronics,33,5,77,38,north,1,2,3,high
f10,Penang,Electronics,18,3,150,75,south,0,0,2,low
f11,Hsinchu,Electronics,25,4,66,33,north,1,5,4,mid
f12,Hsinchu,Electronics,11,1,31,15,south,0,1,3,low
f13,Hsinchu,Electronics,37,2,120,60,north,1,0,5,high
f14,Hsinchu,Electronics,20,5,25,12,south,0,2,2,mid
"""

SWAPS = Mapping[str, str]
NOTHING: SWAPS = MappingProxyType({})


class Answer(NamedTuple):
    """What the command line said, and its exit code."""

    code: int
    out: str
    err: str


def swapped(text: str, swaps: SWAPS) -> str:
    """Replace parts of a text, each of which must be there."""
    for old, new in swaps.items():
        assert old in text, f"'{old}' is not in the text"
        text = text.replace(old, new)
    return text


def write(folder: Path, analysis: SWAPS | str = NOTHING, firms: SWAPS | str = NOTHING) -> None:
    """Write analysis.yaml and firms.csv, changed in parts or given whole."""
    text = analysis if isinstance(analysis, str) else swapped(ANALYSIS, analysis)
    (folder / "analysis.yaml").write_text(text, encoding="utf-8")
    table = firms if isinstance(firms, str) else swapped(FIRMS, firms)
    (folder / "firms.csv").write_text(table, encoding="utf-8")


def call(*arguments: str) -> Answer:
    """Run the command line in this process."""
    result = CliRunner().invoke(app, list(arguments))
    return Answer(result.exit_code, result.stdout, result.stderr)
