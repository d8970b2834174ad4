"""What was done of all that guidelines ask of a Bayesian analysis: filled from files, not from memory.

The points are those of the Bayesian analysis reporting guidelines (BARG: Kruschke 2021, Nature Human
Behaviour 5, by step, and by its letter where that is sure), of the checklist WAMBS (Depaoli and van
de Schoot 2017, Psychological Methods 22(2), by point) and of Bayesian workflow (Gelman et al. 2020,
arXiv:2011.01808, by section); that on limits is item 19 of STROBE (von Elm et al. 2007, PLoS Medicine
4(10)). Whatever was not done says so. What every report does the same way is no point: it could not
come out otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from os.path import relpath
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import ValidationError

from bayescluster.checks.thresholds import DOUBLED_CHANGE
from bayescluster.errors import RunError
from bayescluster.features.checklist.results import Checklist, ChecklistItem, Status
from bayescluster.results.base import Value
from bayescluster.results.fit import CalibrationRow, PitRow
from bayescluster.results.model import CheckItem, EffectRow, Results
from bayescluster.runs.keys import SAMPLING_PACKAGES, model_key, resolved
from bayescluster.runs.layout import MANIFEST, POSTERIOR
from bayescluster.runs.manifest import Manifest, analysis_of, read_manifest
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.spec.load import yaml_text
from bayescluster.studies.calibration.results import Calibration, State
from bayescluster.studies.design_analysis.results import DesignAnalysis
from bayescluster.studies.multiverse.results import Multiverse
from bayescluster.studies.prior.results import PriorStudy

TIMES = 2


class Doubled(NamedTuple):
    """How far the effects of a longer run lie from those of this one."""

    key: str
    draws: int
    """Draws of all its chains."""
    largest: float
    """Largest change of the mean of an effect, in its posterior standard deviations."""


def doubled(directory: RunDirectory, results: Results, wanted: str) -> Doubled | None:
    """Find the longest finished run of the same model with at least twice the draws."""
    least = TIMES * results.fit.chains * results.fit.draws
    found = [(_draws(manifest), path) for path, manifest in _others(directory, wanted)]
    for draws, path in sorted(found, reverse=True):
        if draws < least:
            break
        try:
            longer = RunDirectory(path).load_results()
        except RunError:
            continue
        # of the effects that both runs have; an effect that does not move has no change
        other = {_name(row): row.estimate for row in longer.effects}
        changes = [
            abs(other[_name(row)].mean - row.estimate.mean) / row.estimate.sd
            for row in results.effects
            if _name(row) in other and row.estimate.sd > 0
        ]
        return Doubled(path.name, draws, max(changes, default=0.0))
    return None


def _others(directory: RunDirectory, wanted: str) -> Iterator[tuple[Path, Manifest]]:
    for path in sorted(directory.path.parent.glob(f"*/{MANIFEST}")):
        if path.parent == directory.path:
            continue
        try:
            manifest = read_manifest(path.parent)
            analysis = analysis_of(manifest, path.parent)
        except RunError:
            continue
        # the cases behind priors stand in the design: such a run does not count as the same
        if manifest.gate_passed and model_key(analysis, manifest.data_digest) == wanted:
            yield path.parent, manifest


def _draws(manifest: Manifest) -> int:
    """Draws of all chains; 0 where the sampler has not settled them yet."""
    settled = manifest.settled.settings.get("sampling", {}) if manifest.settled else {}
    sampling = manifest.analysis["sampling"] | settled
    return int(sampling["chains"]) * int(sampling["draws"] or 0)


def _name(row: EffectRow) -> tuple[str, ...]:
    return row.capital, row.measure, row.by, row.group, row.scope


NO_VERSION: Final = ("", "not installed")


class Kept(NamedTuple):
    """Parts that are there, and parts that are not, in words."""

    there: tuple[str, ...]
    lacking: tuple[str, ...]


def kept_in(directory: RunDirectory, analysis: Analysis, results: Results) -> Kept:
    """Look for everything that a reader needs to get the same draws again.

    Parameters
    ----------
    directory
        The run; of one of several forms, each has chains of its own.
    analysis
        Its analysis, as the manifest has it.
    results
        Its results.
    """
    manifest, made = directory.read_manifest(), results.reproduction
    fits = list(directory.forms().items()) or [("", directory)]
    chains = analysis.sampling.chains
    unknown = [name for name in SAMPLING_PACKAGES if made.versions.get(name, "") in NO_VERSION]
    same_data = made.data_digest and made.data_digest == manifest.data_digest
    looked = (
        (
            "the analysis with all defaults",
            "an analysis in the results that is that of the run",
            made.analysis == yaml_text(resolved(analysis)),
        ),
        ("a digest of the data", "a digest of the data that is that of the run", same_data),
        (
            f"{len(manifest.seeds)} seeds",
            f"a seed for each of {chains} chains",
            len(manifest.seeds) == chains,
        ),
        (
            f"{len(made.versions)} versions",
            f"the version of {', '.join(unknown)}",
            not unknown,
        ),
    )
    there = [part for part, _, kept in looked if kept]
    lacking = [fault for _, fault, kept in looked if not kept]
    lost = list(_lost_draws(fits, chains))
    there += [] if lost else [f"the draws of {len(fits) * chains} chains"]
    return Kept(tuple(there), (*lacking, *lost))


def _lost_draws(fits: Sequence[tuple[str, RunDirectory]], chains: int) -> Iterator[str]:
    for name, run in fits:
        of = f" of the form '{name}'" if name else ""
        lost = chains - len(run.chain_numbers())
        if lost:
            yield f"the draws of {lost} of {chains} chains{of}"
        if not (run.path / POSTERIOR).is_file():
            yield f"{POSTERIOR}{of}"


class Known(NamedTuple):
    """A finished run and what stands beside it."""

    results: Results
    studies: Mapping[str, Study]
    pages: Mapping[str, str]
    """Path from the report to the page of each study."""
    doubled: Doubled | None
    analysis: Analysis | None = None
    """The analysis, where it was asked for."""
    kept: Kept | None = None
    """What is there to get the run again, where it was looked for."""

    @property
    def file(self) -> str:
        """Analysis file, as a command names it."""
        words = self.results.reproduction.command.split()
        return words[-1] if words[:1] == ["bayescluster"] else "ANALYSIS.yaml"

    def gate(self, name: str) -> CheckItem | None:
        """Item of the gate by name."""
        return next((item for item in self.results.gate.items if item.name == name), None)

    def study[V: Value](self, kind: str, holds: type[V]) -> V | None:
        """Document of a study that stands beside the run."""
        found = self.studies.get(kind)
        return found.document if found is not None and isinstance(found.document, holds) else None

    def not_done(self, study: str, what: str) -> Answer:
        """Answer where a study was not made: the command that makes it."""
        found = f"no {what} of this model was found beside the run"
        return Answer("not done", found, next=f"bayescluster {study} {self.file}")


class Answer(NamedTuple):
    """What a rule found: its status, the number, where it stands, and what to do."""

    status: Status
    found: str
    link: str = ""
    next: str = ""


class Rule(NamedTuple):
    """A question of the guidelines and how it is answered from what is known."""

    asked: str
    sources: tuple[str, ...]
    answer: Callable[[Known], Answer]


def counted(many: int, one: str, several: str = "") -> str:
    """A number and its noun."""
    return f"{many:,} {one if many == 1 else several or one + 's'}"


SAMPLER = ("Divergences", "E-BFMI", "Tree depth")


def _software(known: Known) -> Answer:
    fit = known.results.fit
    what = f"{fit.sampler}, {fit.chains} chains of {fit.draws:,} draws after {fit.tune:,}"
    return Answer("done", what, "#reproduction")


def _gate(known: Known, names: tuple[str, ...]) -> Answer:
    items = [item for name in names if (item := known.gate(name)) is not None]
    made = [item for item in items if item.passed is not None]
    if len(made) < len(names):
        return Answer("not done", "the check was not made", "#checks", "run the fit again")
    found = "; ".join(f"{item.name} {item.found}" for item in made)
    failed = [item for item in made if not item.passed]
    if failed:
        return Answer("look", found, "#checks", failed[0].advice)
    return Answer("done", found, "#checks")


STATES: Final[dict[State, tuple[Status, str]]] = {
    "not_rejected": ("done", "ranks of the truth look uniform"),
    "rejected": ("look", "ranks of the truth are not uniform"),
    "too_few": ("look", "too few refits to test whether ranks are uniform"),
}


def _calibrated(known: Known) -> Answer:
    found = known.study("calibrate", Calibration)
    if found is None:
        return known.not_done("calibrate", "simulation-based calibration")
    status, words = STATES[found.state]
    rows = sum(len(form.rows) for form in found.forms)
    passed = sum(form.passed for form in found.forms)
    made = sum(form.replications for form in found.forms)
    what = f"{words}: {counted(rows, 'quantity', 'quantities')}, {passed} of {made} refits passed"
    return Answer(status, what, known.pages["calibrate"])


def _doubled(known: Known) -> Answer:
    found, fit = known.doubled, known.results.fit
    if found is None:
        return Answer(
            "not done",
            "no run of this model with twice the draws was found",
            next=f"set sampling.draws to {2 * fit.draws}, and run again under the same name",
        )
    what = (
        f"with {found.draws:,} draws in all (run {found.key}) no effect moves by more than "
        f"{found.largest:.2f} of its sd"
    )
    return Answer("done" if found.largest <= DOUBLED_CHANGE else "look", what, "#effects")


COMPUTATION_RULES = (
    Rule("Is the software named?", ("BARG 2.A",), _software),
    Rule(
        "Have the chains converged, for every parameter and estimand?",
        ("BARG 2.B", "WAMBS 2"),
        partial(_gate, names=("R-hat",)),
    ),
    Rule("Does that hold with twice the draws?", ("WAMBS 3",), _doubled),
    Rule(
        "Are there enough independent draws?",
        ("BARG 2.C", "WAMBS 4", "WAMBS 5"),
        partial(_gate, names=("ESS, bulk", "ESS, tail")),
    ),
    Rule(
        "Does the method recover truths drawn from its prior?",
        ("Workflow 4",),
        _calibrated,
    ),
    Rule("Did the sampler run well?", ("Workflow 5",), partial(_gate, names=SAMPLER)),
)


REGION: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "effect": (("margin",),),
    "contextual": (("margin",),),
    "difference": (("margin",),),
    "complementarity": (("margin",),),
    "necessary": (("ratio",), ("kappa",)),
    "sufficient": (("theta", "ratio"),),
    "not_sufficient": (("theta_not",), ("delta",)),
    "necessary_not_sufficient": (("ratio",), ("kappa",), ("theta_not",), ("delta",)),
    "joint_sufficiency": (("theta",),),
}
"""Settings that make the region of each claim: of every group one, or a default stands in."""


def declared(claim: Hypothesis) -> bool:
    """Whether a claim states its region itself, all of it."""
    fields = type(claim).model_fields
    return all(
        any(getattr(claim, field) != fields[field].default for field in group)
        for group in REGION[claim.kind]
    )


def _regions(known: Known) -> Answer:
    verdicts = known.results.verdicts
    if not verdicts:
        return Answer("not applicable", "no claim is declared, so that nothing is decided")
    if known.analysis is None:
        return Answer("not done", "the analysis of the run was not looked at", "#verdicts")
    claims = known.analysis.hypotheses
    stated = [claim for claim in claims if declared(claim)]
    levels = sorted({verdict.level for verdict in verdicts})
    at = ", ".join(f"{level:.0%}" for level in levels)
    what = (
        f"{len(stated)} of {counted(len(claims), 'claim')} "
        f"{'states' if len(claims) == 1 else 'state'} a region, decided at probability {at}"
    )
    if len(stated) == len(claims):
        return Answer("done", what, "#verdicts")
    others = [claim.kind for claim in claims if not declared(claim)]
    kinds = dict.fromkeys(kind.replace("_", " ") for kind in others)
    fields = dict.fromkeys(field for kind in others for group in REGION[kind] for field in group)
    return Answer(
        "in part" if stated else "not done",
        f"{what}; of the others ({', '.join(kinds)}) the region is the default",
        "#verdicts",
        f"state what counts in this field: {', '.join(fields)}",
    )


def _odds(known: Known) -> Answer:
    verdicts = known.results.verdicts
    told = sum(verdict.odds_ratio is not None for verdict in verdicts)
    if not verdicts:
        return Answer("not applicable", "no claim is declared")
    what = f"posterior odds over prior odds of {told} of {counted(len(verdicts), 'verdict')}"
    return Answer("done" if told else "not done", what, "#verdicts")


DECISIONS_RULES = (
    Rule("Are the regions of the decisions declared?", ("BARG 4.C",), _regions),
    Rule("Is evidence set against prior odds?", ("BARG 3.C", "BARG 4"), _odds),
)


def _question(known: Known) -> Answer:
    claims = {(verdict.kind, verdict.capital, verdict.title) for verdict in known.results.verdicts}
    if not claims:
        return Answer(
            "not done", "no claim is declared", "#effects", "declare hypotheses in the analysis"
        )
    what = f"{counted(len(claims), 'claim')} on {known.results.outcome.label}"
    return Answer("done", what, "#verdicts")


def _firms(known: Known) -> Answer:
    sample = known.results.sample
    lost = sum(row.rows for row in sample.dropped)
    filled = sum(row.cells for row in sample.imputed)
    gaps = [f"{lost:,} rows left out for missing values"] if lost else []
    gaps += [f"{filled:,} missing values estimated in the model"] if filled else []
    what = ", ".join([f"{sample.rows:,} rows of {sample.label}", *gaps])
    return Answer("done", f"{what}; synthetic data" if sample.synthetic else what, "#sample")


def _likelihood(known: Known) -> Answer:
    outcome, model = known.results.outcome, known.results.model
    levels = ", ".join(f"{each.groups} {each.name} groups" for each in model.groupings)
    what = f"{outcome.family} with {model.link} link, {model.structure}"
    return Answer("done", f"{what}; {levels or 'no groupings'}", "#model")


def _priors(known: Known) -> Answer:
    listed = sum(bool(each.prior) for each in known.results.model.coefficients)
    return Answer("done", f"the prior of {counted(listed, 'parameter')} is listed", "#model")


def _prior_predictive(known: Known) -> Answer:
    found = known.study("prior", PriorStudy)
    if found is None:
        return known.not_done("prior", "study of the prior")
    what = f"outcomes, effects and claims at {found.draws:,} draws of the prior"
    warned = len(found.warnings)
    if warned:
        return Answer(
            "look", f"{what}; {counted(warned, 'warning')}", known.pages["prior"], "see its page"
        )
    return Answer("done", f"{what}; no warning", known.pages["prior"])


def _prior_of_verdicts(known: Known) -> Answer:
    before = [verdict.prior_probability for verdict in known.results.verdicts]
    if not before:
        return Answer("not applicable", "no verdict")
    what = f"prior probabilities of the claims {min(before):.2f} to {max(before):.2f}"
    return Answer("done", what, "#verdicts")


def _design(known: Known) -> Answer:
    found = known.study("design", DesignAnalysis)
    if found is None:
        return known.not_done("design", "design analysis")
    truths = counted(len(found.forms), "true form")
    if found.base_rates:
        truths += f" and {counted(len(found.base_rates), 'base rate')}"
    what = f"{counted(found.replications, 'replication')} of {truths}"
    return Answer("done", what, known.pages["design"])


MODEL_RULES = (
    Rule("Is the question stated as claims?", ("BARG B",), _question),
    Rule("Are the data and what is missing described?", ("BARG 1.A",), _firms),
    Rule("Are likelihood and levels specified?", ("BARG 1.B", "BARG 1.D"), _likelihood),
    Rule("Are the priors stated?", ("BARG 1.C", "WAMBS 1"), _priors),
    Rule(
        "Does the prior make outcomes and effects that can be believed?",
        ("BARG 1.E", "WAMBS 1", "Workflow 2"),
        _prior_predictive,
    ),
    Rule("Is the prior probability of each claim given?", ("BARG 1.E",), _prior_of_verdicts),
    Rule(
        "Would such verdicts be right at this number of firms?",
        ("Workflow 4",),
        _design,
    ),
)


def _predictive(known: Known) -> Answer:
    rows = [*known.results.predictive]
    rows += [row for other in known.results.others for row in other.predictive]
    if not rows:
        return Answer("not done", "no posterior predictive check was made", "#checks")
    flagged = sum(row.flagged for row in rows)
    what = f"{flagged} of {counted(len(rows), 'statistic')} flagged"
    return Answer("look" if flagged else "done", what, "#checks")


def _distributions(known: Known) -> Answer:
    found = known.results.fit_checks
    if found is None:
        return Answer("not done", "LOO-PIT and calibration were not made", "#checks")
    missing = [why for why in (found.pit_reason, found.calibration_reason) if why]
    rows: list[PitRow | CalibrationRow] = [*(found.pit.groups if found.pit else ())]
    rows += [*(found.calibration.rows if found.calibration else ())]
    tested = [row for row in rows if row.p is not None]
    if not tested:
        return Answer("not done", "; ".join(missing) or "no group could be tested", "#fit")
    flagged = sum(row.flagged for row in tested)
    of = counted(len(tested), "test of leave-one-out predictions", "tests of left-out predictions")
    return Answer("look" if flagged else "done", f"{flagged} of {of} flagged", "#fit")


def _summaries(known: Known) -> Answer:
    effects = known.results.effects
    if not effects:
        return Answer("done", "parameters with means and 90% intervals", "#model")
    return Answer("done", f"{counted(len(effects), 'effect')} with 90% intervals", "#effects")


def _sense(_: Known) -> Answer:
    return Answer("reader", "whether the sizes are plausible in this field", "#effects")


def _rows_left_out(known: Known) -> Answer:
    loo = known.results.loo
    if loo is None:
        return Answer("not done", "leave-one-out cross-validation was not made", "#checks")
    what = f"elpd {loo.elpd:.1f} (se {loo.se:.1f}); {loo.bad} of {loo.rows:,} Pareto k too high"
    return Answer("look" if loo.bad else "done", what, "#checks", loo.advice)


def _groups_left_out(known: Known) -> Answer:
    folds = known.results.folds
    if folds is None or not folds.groups:
        return Answer(
            "not done",
            "no cluster or industry was left out by refitting",
            next="bayescluster check RUN --leave-out cluster",
        )
    found = [
        f"{part.by}: {form.counted} of {form.groups} groups count, elpd {form.elpd:.1f}"
        for part in folds.groups
        for form in part.forms
    ]
    failed = sum(form.diag_failed for part in folds.groups for form in part.forms)
    return Answer("look" if failed else "done", "; ".join(found), "#left-out")


POSTERIOR_RULES = (
    Rule("Does the model make data like these?", ("BARG 3.A",), _predictive),
    Rule("Are single outcomes as likely as predicted?", ("Workflow 6",), _distributions),
    Rule("Are posteriors summarised?", ("BARG 3.B", "BARG 4"), _summaries),
    Rule("Do the estimates make sense?", ("WAMBS 6",), _sense),
    Rule("How well are rows predicted from the others?", ("Workflow 6",), _rows_left_out),
    Rule("How well are whole groups predicted?", ("Workflow 6",), _groups_left_out),
)


def _again(known: Known) -> Answer:
    kept = known.kept
    if kept is None:
        return Answer("not done", "the files of the run were not looked at", "#reproduction")
    found = f"in the run: {', '.join(kept.there) or 'nothing'}"
    if not kept.lacking:
        return Answer("done", f"{found}; the data themselves are not kept", "#reproduction")
    lacking = f"{found}; lacking: {'; '.join(kept.lacking)}"
    again = "run the analysis again: what is lacking is made anew"
    return Answer("in part" if kept.there else "not done", lacking, "#reproduction", again)


def _limits(known: Known) -> Answer:
    limits = known.results.limits
    if not limits:
        return Answer("not done", "the analysis states no limits", next="state them under limits")
    return Answer("done", f"{counted(len(limits), 'limit')} stated by the analysis", "#top")


REPRODUCTION_RULES = (
    Rule("Is all there that it takes to get it again?", ("BARG 6",), _again),
    Rule("Are the limits stated?", ("STROBE 19",), _limits),
)


def _forms(known: Known) -> Answer:
    found = known.results.comparison
    if found is None:
        return Answer(
            "not done",
            f"only the form '{known.results.model.structure}' was fitted",
            next="list several forms under structure, such as [additive, interaction, conjunctive]",
        )
    what = f"{counted(len(found.forms), 'form')} compared by {found.criterion}"
    return Answer("done", what, "#forms")


def _likelihoods(known: Known) -> Answer:
    found = known.results.likelihoods
    if found is None:
        return Answer("not applicable", "the form has no product of the capitals")
    what = counted(len(found.rows), "likelihood")
    if found.depends:
        return Answer("look", f"{what}: the sign of the product depends on it", "#likelihoods")
    return Answer("done", what, "#likelihoods")


def _sensitivity_priors(known: Known) -> Answer:
    found = known.results.sensitivity
    if found is None or not found.rows:
        why = "; ".join(found.not_made) if found is not None else "no prior was scaled"
        return Answer("not done", why)
    own = [row for row in found.rows if row.block != "likelihood"]
    flagged = {(r.quantity, r.group) for r in own if r.diagnosis not in ("-", "within noise")}
    of = counted(len({(r.quantity, r.group) for r in own}), "parameter or estimand", QUANTITIES)
    what = f"{len(flagged)} of {of} sensitive to a block of priors, by power-scaling"
    return Answer("look" if flagged else "done", what, "#sensitivity")


def _verdicts(known: Known) -> Answer:
    if not known.results.verdicts:
        return Answer("not applicable", "no claim was put to the data")
    found = known.results.sensitivity
    if found is None or not found.verdicts:
        return Answer("not done", "no verdict was put to other priors")
    flips = {row.claim for row in found.verdicts if row.flips}
    untold = {row.claim for row in found.verdicts if row.probability is None} - flips
    of = counted(len(known.results.verdicts), "verdict")
    what = f"{len(flips)} of {of} flip when priors are raised to a power"
    if untold:
        what += f"; {len(untold)} cannot be told at every power from these draws"
    return Answer("look" if flips or untold else "done", what, "#sensitivity")


def _choices(known: Known) -> Answer:
    found = known.study("sweep", Multiverse)
    if found is None:
        return known.not_done("sweep", "multiverse")
    passed = sum(each.status == "passed" for each in found.universes)
    flips = sum(row.flips > 0 for row in found.claims)
    what = (
        f"{flips} of {counted(len(found.claims), 'verdict')} flip in some of "
        f"{counted(len(found.universes), 'universe')}, {passed} of which passed the gate"
    )
    whole = passed == len(found.universes)
    return Answer("done" if whole and not flips else "look", what, known.pages["sweep"])


QUANTITIES = "parameters and estimands"
SENSITIVITY_RULES = (
    Rule("Were other structural forms compared?", ("Workflow 8",), _forms),
    Rule("Do the estimates depend on the priors?", ("BARG 5", "WAMBS 7"), _sensitivity_priors),
    Rule("Do the verdicts depend on the priors?", ("BARG 5", "WAMBS 9"), _verdicts),
    Rule(
        "Would other defensible choices say otherwise?",
        ("BARG 5", "WAMBS 8", "WAMBS 9", "Workflow 8"),
        _choices,
    ),
    Rule("Would another likelihood say otherwise?", ("Workflow 7",), _likelihoods),
)


NOT_BAYESIAN: Final = re.compile(
    r"statistical(?:ly)? significan(?:t|ce|tly)|\bsignificantly\b|\bp[- ]values?\b"
    r"|\bconfidence (?:interval|level)s?\b|\breject\w* the null\b|\bnull hypothes[ie]s\b",
    re.IGNORECASE,
)
"""Terms of other inference: no number of a report is one of these."""
CAUSAL: Final = re.compile(
    r"\bcaus(?:es?|ed|ing|al|ally)\b|\bleads? to\b|\bled to\b|\bimpacts?\b|\bbecause of\b",
    re.IGNORECASE,
)
"""Words that claim more than an association adjusted for controls."""
ARGUED: Final = re.compile(
    r"exogen|confound|causal|causation|as good as random|association|experiment", re.IGNORECASE
)
"""Words by which limits speak of what a causal reading would take."""
SYNTHETIC: Final = re.compile(r"synthetic|simulat|made[- ]up|invented", re.IGNORECASE)


def _words(known: Known) -> Answer:
    results = known.results
    own = " ".join((results.title, results.description, *results.limits))
    faults = list(_faults(known, own))
    if faults:
        told = "; ".join(fault for fault, _ in faults)
        return Answer("look", told, "#top", "; ".join(mend for _, mend in faults))
    if not results.description and not results.limits:
        return Answer("not applicable", "the analysis has no description and no limits to look at")
    what = "title, description and limits speak of no significance, and of no cause without what it takes"
    if results.sample.synthetic:
        what += "; they say that the firms are synthetic"
    return Answer("done", what, "#top")


def _faults(known: Known, own: str) -> Iterator[tuple[str, str]]:
    """Say what claims too much, and how to mend it."""
    results = known.results
    terms = _found(NOT_BAYESIAN, own)
    if terms:
        yield f"they say {terms}, which no number here is", "speak of posterior probabilities"
    causal = _found(CAUSAL, f"{results.title} {results.description}")
    experiment = known.analysis is not None and known.analysis.traditions.causes.experiment
    if causal and not experiment and not ARGUED.search(" ".join(results.limits)):
        yield (
            f"the description says {causal}, and no limit says what a causal reading would take",
            "argue it under limits, or speak of associations",
        )
    if results.sample.synthetic and not SYNTHETIC.search(own):
        yield "the firms are synthetic, and none of these words says so", "say so under limits"


def _found(terms: re.Pattern[str], text: str) -> str:
    found = dict.fromkeys(each.group().lower() for each in terms.finditer(text))
    return ", ".join(f"“{term}”" for term in found)


WORDING_RULES = (
    Rule("Do the words of the analysis claim no more than it can?", ("WAMBS 10",), _words),
)


PARTS = (
    ("Question, model and priors", MODEL_RULES),
    ("Computation", COMPUTATION_RULES),
    ("Fit and posterior", POSTERIOR_RULES),
    ("Decisions and words", (*DECISIONS_RULES, *WORDING_RULES)),
    ("Sensitivity", SENSITIVITY_RULES),
    ("Reproduction", REPRODUCTION_RULES),
)


def checklist_of(directory: RunDirectory, results: Results, model_key: str) -> Checklist:
    """Fill the checklist of a run from its results and the studies that stand beside it."""
    studies = studies_of(directory.path.parent, model_key)
    pages = {
        kind: relpath(study.page, directory.path).replace("\\", "/")
        for kind, study in studies.items()
    }
    analysis = directory.analysis()
    return filled(
        Known(
            results,
            studies,
            pages,
            doubled(directory, results, model_key),
            analysis,
            kept_in(directory, analysis, results),
        )
    )


def filled(known: Known) -> Checklist:
    """Fill the checklist from what is known."""
    items = []
    for part, rules in PARTS:
        for rule in rules:
            found = rule.answer(known)
            items.append(
                ChecklistItem(
                    part=part,
                    asked=rule.asked,
                    sources=rule.sources,
                    status=found.status,
                    found=found.found,
                    link=found.link,
                    next=found.next,
                )
            )
    return Checklist(items=tuple(items))


STUDIES: Final[Mapping[str, type[Value]]] = {
    "prior": PriorStudy,
    "design": DesignAnalysis,
    "calibrate": Calibration,
    "sweep": Multiverse,
}
"""Kinds of study, and what the document of each holds: ``<kind>/<key>/<kind>.json``."""


class Study(NamedTuple):
    """A finished study: its document, and its page."""

    document: Value
    page: Path


def studies_of(folder: Path, model_key: str) -> dict[str, Study]:
    """Find the studies of a model: of each kind the one that was written last.

    Parameters
    ----------
    folder
        Directory of all runs and studies of an analysis, ``<root>/<name>``.
    model_key
        Key of the model. Studies of another model, and files that another version wrote, do not
        count.
    """
    found = {}
    for kind, holds in STUDIES.items():
        for path in sorted(folder.glob(f"{kind}/*/{kind}.json"), key=_written, reverse=True):
            document = _read(path, holds, model_key)
            if document is not None:
                found[kind] = Study(document, path.with_suffix(".html"))
                break
    return found


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns


def _read(path: Path, holds: type[Value], model_key: str) -> Value | None:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or content.get("model_key") != model_key:
        return None
    try:
        return holds.model_validate(content)
    except ValidationError:
        return None
