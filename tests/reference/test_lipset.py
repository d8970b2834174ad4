"""Lipset's indicators of democracy between the wars, as fuzzy sets.

Data: the 18 European countries of Rihoux and De Meur (2009) as fuzzified in the data set LF that is
published with the R package QCA. Values: that program's measures of necessity and sufficiency.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from bayescluster.features.sets.measures import necessity, sufficiency

COUNTRIES = pd.read_csv(Path(__file__).parent / "lipset_lf.csv", index_col=0)

NECESSITY = {  # consistency, RoN, coverage
    "DEV": (0.83098592, 0.81135531, 0.77461707),
    "URB": (0.53873239, 0.89858315, 0.77142857),
    "LIT": (0.99061033, 0.50941423, 0.64280274),
    "IND": (0.66901408, 0.78617886, 0.68427371),
    "STB": (0.92018779, 0.68011811, 0.70694319),
}
SUFFICIENCY = {  # consistency, PRI, coverage
    "DEV": (0.77461707, 0.74314214, 0.83098592),
    "STB": (0.70694319, 0.6642562, 0.92018779),
}


@pytest.mark.parametrize("name", NECESSITY)
def test_necessity(name):
    found = necessity(COUNTRIES[name].to_numpy(), COUNTRIES["SURV"].to_numpy())
    assert [float(value) for value in found] == pytest.approx(NECESSITY[name], abs=5e-9)


@pytest.mark.parametrize("name", SUFFICIENCY)
def test_sufficiency(name):
    found = sufficiency(COUNTRIES[name].to_numpy(), COUNTRIES["SURV"].to_numpy())
    assert [float(value) for value in found] == pytest.approx(SUFFICIENCY[name], abs=5e-9)
