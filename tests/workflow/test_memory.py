"""Memory is foreseen from sizes, stated, and refused where the machine has less."""

from __future__ import annotations

import pytest

from bayescluster.app import memory
from bayescluster.app.memory import Memory, memory_of, refuse_too_much
from bayescluster.errors import ConfigError
from tests.factories import small_design

NESTED = {"industry": ["intercept"], "cluster": ["intercept"]}


def test_memory_is_stated_in_a_line() -> None:
    small = Memory(600e6, 2e6, 40e6, 8e9)
    assert list(small.lines()) == ["memory: about 642 MB at most (firms 2 MB, draws 40 MB)"]


def test_more_than_there_is_is_warned_of_and_refused() -> None:
    large = Memory(600e6, 2e9, 40e9, 8e9)
    assert list(large.lines())[1].startswith("that is more than this machine has (8.0 GB): give")
    with pytest.raises(ConfigError) as error:
        refuse_too_much(large)
    what = "the fit would take about 42.6 GB of memory, and this machine has 8.0 GB"
    assert error.value.problems[0].what == what
    assert error.value.problems[0].mend == memory.REMEDY


def test_memory_grows_with_draws_and_parameters_not_with_firms_times_draws() -> None:
    plain = small_design("gaussian", "interaction", NESTED)
    more = plain.analysis.sampling.model_copy(update={"draws": 100_000})
    longer = plain.analysis.model_copy(update={"sampling": more})
    few, many = (memory_of([type(plain)(each, plain.data)]) for each in (plain.analysis, longer))
    assert many.draws > 15 * (few.draws - memory.CHUNKS)
    assert many.firms == few.firms
    assert many.draws < 100_000 * 4 * 60 * 8 * memory.COPIES + memory.CHUNKS
