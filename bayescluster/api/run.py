"""A finished run from Python: its posterior, effects, verdicts and figures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd
import xarray as xr

from bayescluster.app.collect import evidence_of
from bayescluster.app.report import open_design
from bayescluster.design.record import Design
from bayescluster.features.folds.results import FOLDS_VERSION, Folds
from bayescluster.kit.words import group, label
from bayescluster.lookup import suggestion
from bayescluster.results.fit import FormRow
from bayescluster.results.model import By, Results
from bayescluster.runs.layout import FOLDS
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.hypotheses import Scope

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bayescluster.api.questions import Level, Posterior
    from bayescluster.inference.watch import CountingWatch
    from bayescluster.kit.table import RawTable
    from bayescluster.report.paper import Exported
    from bayescluster.studies.compare.provenance import ComparedRecords, Explained, Reproduced
    from bayescluster.verdicts.evidence import Evidence

Measure = Literal["average_marginal_effect", "contrast"]


class Run:
    """A finished run.

    Attributes
    ----------
    path
        Run directory.
    results
        Every number of the report, typed.
    """

    def __init__(self, directory: RunDirectory) -> None:
        self._directory = directory
        self.path = directory.path

    def __repr__(self) -> str:
        """Name, gate, and where the run lies."""
        gate = "gate passed" if self.results.gate.passed else "gate FAILED"
        return f"Run({self.results.name!r}, {gate}, {str(self.path)!r})"

    @cached_property
    def results(self) -> Results:
        """Every number of the report."""
        return self._directory.load_results()

    @cached_property
    def forms(self) -> dict[str, Run]:
        """The run of each structural form by name, where there are several; else empty."""
        return {name: Run(form) for name, form in self._directory.forms().items()}

    @property
    def comparison(self) -> pd.DataFrame:
        """How several forms compare, one row a form; empty where there is but one."""
        comparison = self.results.comparison
        return pd.DataFrame([_form(row) for row in comparison.forms] if comparison else [])

    @cached_property
    def posterior(self) -> xr.DataTree:
        """Prior, posterior, sampler statistics and observed outcomes.

        Of several forms, those of the form with the largest weight; `forms` has the others.
        """
        leading = self._leading
        return self._directory.load_posterior() if leading is None else leading.posterior

    def replicated(self, group: str = "posterior") -> xr.Dataset:
        """Replicate the outcomes of all firms at every draw, ``(chain, draw, firm)`` by equation.

        ``group`` may be ``"prior"``. Nothing of this size is kept: it is computed again at each call.
        """
        from bayescluster.inference.assemble import replicated

        design = self.design
        return replicated(design, self.posterior[group].to_dataset(), design.analysis.sampling.seed)

    def log_likelihood(self) -> xr.Dataset:
        """Log density of the outcome of each firm at every draw, ``(chain, draw, firm)`` by equation.

        ``run.posterior["log_likelihood"] = xarray.DataTree(run.log_likelihood())`` gives ArviZ what it
        needs for ``arviz.loo``. Nothing of this size is kept: it is computed again at each call.
        """
        from bayescluster.inference.assemble import row_densities

        return row_densities(self.design, self.posterior["posterior"].to_dataset())

    @cached_property
    def design(self) -> Design:
        """The analysis and its firms as named arrays; of several forms, as for the posterior."""
        leading = self._leading
        return open_design(self._directory) if leading is None else leading.design

    @property
    def _leading(self) -> Run | None:
        """Run of the form with the largest weight, where there are several forms."""
        comparison = self.results.comparison if self.forms else None
        return None if comparison is None else self.forms[comparison.leading]

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self._directory.report_path

    @property
    def verdicts(self) -> pd.DataFrame:
        """Verdicts, one row for each claim and group."""
        columns = ["title", "group", "scope", "verdict", "probability", "mcse"]
        columns += ["prior_probability", "odds_ratio", "region", "reason"]
        rows = [verdict.model_dump(include=set(columns)) for verdict in self.results.verdicts]
        return pd.DataFrame(rows, columns=columns)

    def tables(self) -> list[str]:
        """Names of all tables of the report, for `table`."""
        return list(self._tables)

    def table(self, name: str) -> pd.DataFrame:
        """Give a table of the report, unrounded, as it is written to ``tables/<name>.csv``.

        Raises
        ------
        ValueError
            If the report has no such table; the nearest name is suggested.
        """
        from bayescluster.kit.table import frame

        _known(name, list(self._tables), "table")
        return frame(self._tables[name])

    @cached_property
    def _tables(self) -> dict[str, RawTable]:
        from bayescluster.report.sections import raw_tables

        return {table.name: table for table in raw_tables(self.results)}

    @property
    def diagnostics(self) -> pd.DataFrame:
        """The convergence gate, one row a check."""
        return pd.DataFrame([item.model_dump() for item in self.results.gate.items])

    def effects(
        self, by: By = "industry", measure: Measure = "average_marginal_effect"
    ) -> pd.DataFrame:
        """Average effects of both capitals on the outcome scale.

        Parameters
        ----------
        by
            The whole sample, each industry, each cluster, or each category of a column that a claim
            asks by (``"tier"``; within industries ``"industry x tier"``).
        measure
            Change per standard deviation of the capital, or from its low to its high level.

        Returns
        -------
        pandas.DataFrame
            One row for each capital and group: mean, sd, 90% interval, P(effect > 0), diagnostics.
        """
        self._groups(by)
        _known(measure, get_args(Measure), "measure")
        return pd.DataFrame(
            [
                {
                    "capital": row.capital,
                    "group": row.group,
                    "rows": row.rows,
                    **row.estimate.model_dump(),
                    "positive": row.positive,
                }
                for row in self.results.effects
                if row.by == by and row.measure == measure
            ]
        )

    def effect_draws(
        self, by: By = "industry", measure: Measure = "average_marginal_effect"
    ) -> xr.DataArray:
        """Posterior draws of the effects, dims ``(capital, chain, draw, <by>)``.

        Of several forms, those of the form with the largest weight, not of the average.
        """
        from bayescluster.estimands.levels import default_levels

        self._groups(by)
        _known(measure, get_args(Measure), "measure")
        evidence = self.evidence
        surface = evidence.surface("observed", default_levels(self.design))
        effects = surface.marginal if measure == "average_marginal_effect" else surface.contrast
        columns, labels = zip(*evidence.columns(by), strict=True)
        shape = (evidence.posterior.chains, -1, len(columns))
        return xr.DataArray(
            [values[:, list(columns)].reshape(shape) for values in effects.values()],
            dims=("capital", "chain", "draw", by),
            coords={"capital": list(effects), by: list(labels)},
            name=measure,
        )

    def corners(self, by: By = "industry") -> pd.DataFrame:
        """Expected outcome at the four corners, with the firms near each."""
        self._groups(by)
        return pd.DataFrame(
            [
                {
                    "scope": table.scope,
                    "declared": table.declared,
                    "group": row.group,
                    "corner": row.corner,
                    **row.estimate.model_dump(),
                    "support": row.support,
                }
                for table in self.results.corners
                for row in table.rows
                if row.by == by
            ]
        )

    def _groups(self, by: By) -> None:
        """Refuse a kind of groups that the results are not of."""
        _known(by, list(dict.fromkeys(row.by for row in self.results.effects)), "by")

    @cached_property
    def _draws(self) -> Posterior:
        """Draws of all forms, mixed by their weights where there are several."""
        from bayescluster.api.questions import mixed

        comparison = self.results.comparison if self.forms else None
        if comparison is None:
            return mixed({self.results.model.structure: (1.0, self.evidence)})
        weights = {row.form: row.weight for row in comparison.forms}
        return mixed({name: (weights[name], form.evidence) for name, form in self.forms.items()})

    @cached_property
    def evidence(self) -> Evidence:
        """Estimands of the draws by scope, levels and group, computed when asked for."""
        return evidence_of(self.design, self.posterior)

    def predict(
        self,
        *,
        human_capital: Level = None,
        social_capital: Level = None,
        by: By = "industry",
        new: Scope = "observed",
        unit: Literal["sd", "score"] = "sd",
    ) -> pd.DataFrame:
        """Expected outcome with the capitals at given levels, averaged over the firms of each group.

        Parameters
        ----------
        human_capital, social_capital
            A level or several of each; as observed in each firm where left out.
        by
            Groups: ``all``, ``industry``, ``cluster`` or a column that claims are by.
        new
            For the firms as ``observed``, in an ``average_cluster``, a ``new_cluster`` or a
            ``new_industry``.
        unit
            Levels in standard deviations, or in the capital's own ``score``.

        Returns
        -------
        pandas.DataFrame
            A row for each combination of levels and group: mean, sd and 90% interval; over several forms,
            of their mixture.
        """
        from bayescluster.api.questions import predicted

        levels = {"human_capital": human_capital, "social_capital": social_capital}
        _known(new, get_args(Scope), "new")
        _known(unit, ("sd", "score"), "unit")
        return predicted(self._draws, levels, by, new, unit)

    def corner_draws(
        self, by: By = "industry", new: Scope = "observed", low: float = 0.1, high: float = 0.9
    ) -> xr.DataArray:
        """Draws of the expected outcome at the corners, dims ``(corner, chain, draw, <by>)``.

        ``low`` and ``high`` are quantiles of each capital. Draws of several forms are mixed by weight.
        """
        from bayescluster.api.questions import corner_draws

        _known(new, get_args(Scope), "new")
        return corner_draws(self._draws, by, new, low, high)

    def draws_frame(self, by: By = "industry", new: Scope = "observed") -> pd.DataFrame:
        """Draws of effects and corners, tidy: columns chain, draw, group, quantity, value."""
        from bayescluster.api.questions import draws_frame

        _known(new, get_args(Scope), "new")
        return draws_frame(self._draws, by, new)

    def hypothesis(
        self,
        expression: str,
        by: By = "industry",
        new: Scope = "observed",
        low: float = 0.1,
        high: float = 0.9,
    ) -> pd.DataFrame:
        """Posterior and prior probability of a statement about the corners, for each group.

        ``run.hypothesis("LH / HH <= 1/3 and HH >= 0.25")``: corners are LL, HL, LH and HH, the level of
        human capital, then of social capital. A claim of the analysis file is declared before the fit,
        with rules for its verdict; this is for looking.

        Raises
        ------
        ValueError
            If the expression is not such a statement.
        """
        from bayescluster.api.questions import probability
        from bayescluster.estimands.levels import levels_of
        from bayescluster.spec.hypotheses import Corners

        _known(new, get_args(Scope), "new")
        levels = levels_of(self._draws.design, Corners(low=low, high=high))
        return probability(self._draws, expression, by, new, levels)

    def export(self, folder: Path | str) -> Exported:
        """Write tables, figures, text and documents for a paper; see ``bayescluster export``."""
        from bayescluster.report.paper import export

        return export(self.results, Path(folder))

    def diff(self, other: Run | Path | str) -> ComparedRecords:
        """Compare this run with another as records: inputs, draws, verdicts; see ``runs diff``."""
        from bayescluster.studies.compare.provenance import compare_records

        return compare_records(self.path, other.path if isinstance(other, Run) else other)

    def why(self, config: Path | str | None = None) -> Explained:
        """Say which inputs changed since, and which stages that invalidates; see ``runs why``."""
        from bayescluster.studies.compare.provenance import explain_run

        return explain_run(self.path, config)

    def reproduce(
        self, data: Path | str | None = None, out: Path | str | None = None
    ) -> Reproduced:
        """Make the run again from its manifest alone, and compare; see ``runs reproduce``."""
        from bayescluster.studies.compare.provenance import reproduce_run

        return reproduce_run(self.path, data, out)

    # what maketables asks of a model: ETable([run, run])

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        rows = [
            row
            for row in self.results.effects
            if row.measure == "average_marginal_effect" and row.by != "cluster"
        ]
        return pd.DataFrame(
            {
                "b": [row.estimate.mean for row in rows],
                "se": [row.estimate.sd for row in rows],
                "p": [float("nan")] * len(rows),  # no test is made, so there are no stars
                "ci90l": [row.estimate.low for row in rows],
                "ci90u": [row.estimate.high for row in rows],
            },
            index=pd.Index(
                [f"{label(row.capital)}, {group(row.by, row.group)}" for row in rows],
                name="Coefficient",
            ),
        )

    @property
    def __maketables_depvar__(self) -> str:
        return self.results.outcome.column

    def __maketables_stat__(self, key: str) -> float | str | None:
        sample, loo = self.results.sample, self.results.loo
        known: dict[str, float | str | None] = {
            "N": sample.rows,
            "clusters": sample.clusters,
            "industries": sample.industries,
            "elpd": None if loo is None else loo.elpd,
            "gate": "passed" if self.results.gate.passed else "failed",
        }
        return known.get(key)

    __maketables_default_stat_keys__ = ["N", "clusters", "elpd", "gate"]
    __maketables_stat_labels__ = {
        "clusters": "Clusters",
        "industries": "Industries",
        "elpd": "elpd (leave-one-out)",
        "gate": "Checks of convergence",
    }

    @property
    def left_out(self) -> Folds | None:
        """What was found by leaving out; None where nothing was left out yet."""
        return self._directory.load_document("folds", FOLDS, Folds, FOLDS_VERSION)

    def leave_out(
        self,
        by: Literal["cluster", "industry", "row"],
        watch: CountingWatch | None = None,
        **settings: int | None,
    ) -> Folds:
        """Predict clusters or industries from refits without them, or refit rows; see the command.

        ``settings`` are options of the refits: ``folds``, ``most``, ``draws``, ``tune``, ``chains``,
        ``jobs``; ``watch`` receives the progress.
        """
        from bayescluster.studies.folds.refits import BY, Options
        from bayescluster.studies.folds.study import leave_out

        _known(by, BY, "by")
        for name in settings:
            _known(name, Options._fields[1:], "setting")
        given: dict[str, Any] = dict(settings)
        return leave_out(self._directory, Options(by, **given), watch).results

    def plot_effects(self, capital: str = "human_capital") -> Figure:
        """Forest of the effects of a capital by industry, pooled and unpooled."""
        from bayescluster.report.figures import forest

        return forest(self.results, capital)

    def plot_corners(self) -> Figure:
        """Expected outcome at the four corners, by industry: the figure of the first page."""
        from bayescluster.report.figures import corners_figure

        return corners_figure(self.results)

    def plot_surface(self) -> Figure:
        """Expected outcome over both capitals, by industry, with the firms."""
        from bayescluster.report.figures import surface

        return surface(self.results)

    def plot_conditional_effect(self) -> Figure:
        """Effect of each capital across the other."""
        from bayescluster.report.figures import conditional_effect

        return conditional_effect(self.results)

    def plot_predictive(self) -> Figure:
        """Observed statistics against replicated ones."""
        from bayescluster.report.figures import predictive

        return predictive(self.results)


def _form(row: FormRow) -> dict[str, object]:
    """A form as a flat row: what it weighs, and its scores by each criterion."""
    flat: dict[str, object] = {
        name: getattr(row, name)
        for name in (
            "form",
            "weight",
            "non_compensatory_probability",
            "gate_passed",
            "plausible",
            "p_loo",
        )
    }
    for what, score in (("clusters", row.clusters), ("rows", row.rows)):
        if score is not None:
            flat |= {f"{what}_{name}": value for name, value in score.model_dump().items()}
    return flat


def _known(value: str, known: Sequence[str], what: str) -> None:
    if value not in known:
        raise ValueError(f"unknown {what} '{value}': {suggestion(value, known)}")
