from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import pytest

from bayescluster.dataset.prepare import Firms, prepare
from bayescluster.dataset.read import Table
from bayescluster.errors import DataError
from bayescluster.spec.columns import NeededColumn
from bayescluster.spec.data import Data


@pytest.fixture
def where() -> Callable[[Sequence[str | int]], str]:
    return lambda path: "a.yaml:" + ".".join(str(step) for step in path)


@pytest.fixture
def prepared(where):
    """Prepare a table given as columns, with the data section given as keys."""

    def run(columns: dict[str, list[object]], needed: Sequence[NeededColumn] = (), **keys) -> Firms:
        data = Data.model_validate({"source": "firms.csv", **keys})
        roles = [
            NeededColumn(getattr(data, role), role, ("data", role))
            for role in ("firm", "cluster", "industry")
            if getattr(data, role) is not None
        ]
        table = Table(pd.DataFrame(columns), "firms.csv", False, "", "")
        return prepare(table, data, [*roles, *needed], where)

    return run


@pytest.fixture
def refused(prepared):
    """The whole message of a table that cannot be prepared."""

    def run(*args, **keys) -> str:
        with pytest.raises(DataError) as caught:
            prepared(*args, **keys)
        return str(caught.value)

    return run
