"""Propose an analysis from what the columns of a table are called and hold.

Nothing here is sure: every proposal carries what it was guessed from, and what only the user can decide is
listed as such.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from bayescluster.arrays import Array
from bayescluster.dataset.constructs import YES_NO
from bayescluster.dataset.prepare import revealed
from bayescluster.dataset.read import Table
from bayescluster.dataset.values import as_float, is_labelled, labels, ordered_labels, rows_text
from bayescluster.design.build import ROWS_A_FIRM
from bayescluster.design.claims import Suggested, regions
from bayescluster.design.coding import BETWEEN_MAX, BETWEEN_MIN, between_share
from bayescluster.design.outcome import NO, YES
from bayescluster.families.zeros import zeros_family
from bayescluster.features.codebook.compute import (
    LEVELS,
    Guess,
    guesses,
    kind_of,
    of_role,
    rows_without_firm,
    suggests,
    suspicious_codes,
)
from bayescluster.features.codebook.spelling import (
    no_answers,
    ranks,
    scale_of,
    spellings,
    wordy_cells,
)
from bayescluster.names import CAPITALS

GAUSSIAN: Final = "gaussian"
DEFAULT_REGIONS: Final = ("bernoulli", "beta")
"""Families proposed here whose claims have default regions."""
MOST_CATEGORIES: Final = 8
"""Text with more categories than this is not proposed as a control."""
MOST_CONTROLS: Final = 5
PERIOD: Final = re.compile(
    r"(^|_)(year|wave|period|round|quarter|jahr|welle|année|annee|año|ano|tahun|năm|time|t)($|_)|年"
)
"""What the name of a period says."""
MOST_PERIODS: Final = 12
FEWEST_CLUSTERS: Final = 4
"""Clusters, and firms of each, that a column of names has which could be that of the cluster."""
MOST_ONES: Final = 0.02
"""Share of ones up to which they are pulled inside, for a family of shares below 1."""
COUNTED: Final = (
    *("poisson", "negative_binomial"),
    *("zero_inflated_poisson", "zero_inflated_negative_binomial"),
)
EXPOSURE: Final = re.compile(
    r"exposure|at_risk|person_?years|(years|months)_?(observed|covered|active)"
)
"""What the name of an exposure says."""
PERCENT: Final = re.compile(r"share|percent|pct|%|anteil|quote|rate|part_|prop")
"""What the name of a share says."""
SKEWED: Final = 1.0
"""Skewness from which an amount is taken in logs."""


NONE: Final = "-"
"""Stated where no column has a role."""


class Choices(NamedTuple):
    """Roles that the user states; those that are None are guessed, and ``-`` is for no column."""

    firm: str | None = None
    cluster: str | None = None
    industry: str | None = None
    outcome: str | None = None
    human: tuple[str, ...] | None = None
    social: tuple[str, ...] | None = None
    controls: tuple[str, ...] | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """All columns that are stated."""
        single = (self.firm, self.cluster, self.industry, self.outcome)
        several = (*(self.human or ()), *(self.social or ()), *(self.controls or ()))
        return tuple(name for name in (*single, *several) if name not in (None, NONE))


def columns_named(texts: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """Columns that texts name, as Stata has it: a name, ``q1-q4`` or ``q*``; several with commas or blanks.

    What names none stays as it is; ``-`` is left out.
    """
    found: list[str] = []
    for text in texts:
        for part in (text,) if text in known else text.split(","):
            found += _columns_of(part.strip(), known)
    return tuple(dict.fromkeys(name for name in found if name not in ("", NONE)))


def _columns_of(part: str, known: Sequence[str]) -> list[str]:
    if part in known:
        return [part]
    if "*" in part and (matching := [name for name in known if fnmatchcase(name, part)]):
        return matching
    for place in (k for k, sign in enumerate(part) if sign == "-"):
        first, last = part[:place].strip(), part[place + 1 :].strip()
        if first in known and last in known:
            return list(known[known.index(first) : known.index(last) + 1])
    words = part.split()
    return words if len(words) > 1 and all(word in known for word in words) else [part]


class Recode(NamedTuple):
    """Values of a column replaced, in a new column."""

    column: str
    name: str
    values: Mapping[str, str | float]
    keep: bool
    reason: str


class Item(NamedTuple):
    """An indicator as proposed."""

    column: str
    negative: bool
    reason: str


class Control(NamedTuple):
    """A control as proposed."""

    column: str
    transform: str
    reason: str
    coding: str = ""


class Scale(NamedTuple):
    """A column multiplied, in a new column."""

    column: str
    name: str
    multiply: float
    reason: str


class Draft(NamedTuple):
    """A proposed analysis.

    ``reasons`` holds what each role was guessed from, ``decisions`` what only the user can decide,
    ``guessed`` what was decided for them and may be wrong.
    """

    columns: tuple[str, ...]
    """All columns of the table."""
    firm: str | None
    cluster: str | None
    industry: str | None
    outcome: str | None
    family: str
    levels: tuple[str, ...]
    constructs: Mapping[str, tuple[Item, ...]]
    controls: tuple[Control, ...]
    codes: Mapping[str, tuple[float | str, ...]]
    excluded: str
    """Line that leaves out rows that are no firms; empty where there are none."""
    recodes: tuple[Recode, ...]
    scales: tuple[Scale, ...]
    exposure: str | None
    panel: bool
    """Whether firms have several rows."""
    contextual: tuple[str, ...]
    """Capitals of which much lies between clusters."""
    lacking: bool
    """Whether any answer is missing."""
    incomplete: int
    """Rows that are left out for it."""
    regions: tuple[Suggested, ...]
    """Suggested by the data, for an outcome that has no default regions."""
    reasons: Mapping[str, str]
    decisions: tuple[str, ...]
    guessed: tuple[str, ...]


def words_for_no_answer(table: Table, groups: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Words for no answer in the columns of a table, those of groups left out."""
    found = {
        name: tuple(no_answers(table.frame[name]))
        for name in table.frame.columns
        if name not in groups
        and not any(suggests(role, name) for role in ("firm", "cluster", "industry"))
    }
    return {name: words for name, words in found.items() if words}


def drafted(table: Table, choices: Choices, words: Mapping[str, tuple[str, ...]]) -> Draft:
    """Propose an analysis of a table, from which ``words`` for no answer are gone already."""
    return _Drafting(table, choices, words).draft()


class _Drafting:
    """The columns of a table on their way to a draft."""

    def __init__(
        self, table: Table, choices: Choices, words: Mapping[str, tuple[str, ...]]
    ) -> None:
        self.no_firms = rows_without_firm(table.frame)
        filled = table.frame.dropna(how="all")
        self.table = table._replace(frame=filled.drop(index=self.no_firms.rows))
        self.choices, self.words = choices, words
        self.found = {
            name: guess for name, guess in guesses(self.table).items() if name not in choices.named
        }
        self.decisions: list[str] = []
        self.guessed: list[str] = []
        self.recodes: list[Recode] = []
        self.scales: list[Scale] = []
        self.reasons: dict[str, str] = {}

    def draft(self) -> Draft:
        firm, cluster, industry = (self._single(role) for role in ("firm", "cluster", "industry"))
        self._say_no_firms()
        self._sparse_groups({"cluster": cluster, "industry": industry})
        outcome = self._single("outcome")
        if outcome is None:
            self.decisions.append("which column is the outcome: no name suggests one (--outcome)")
        self._other_outcomes(outcome)
        wanted = [name for name in CAPITALS if self._stated(name) != ()] or CAPITALS
        constructs = {name: self._construct(name, outcome) for name in wanted}
        used = [item.column for items in constructs.values() for item in items]
        controls = (*self._controls(used, outcome), *self._periods(firm, used))
        of = {new.name: new.column for new in self.recodes}
        measured = [
            of.get(name, name)
            for name in (*used, *(one.column for one in controls), *([outcome] if outcome else []))
        ]
        codes = {name: found for name in measured if (found := self._codes(name))}
        words = {name: self.words[name] for name in measured if name in self.words}
        self._say_codes({**codes, **words})
        constructs = {name: self._directed(items, codes) for name, items in constructs.items()}
        named = {
            role: self._repaired(role, column)
            for role, column in (("cluster", cluster), ("industry", industry))
        }
        family, levels = self._family(outcome, codes)
        exposure = self._exposure(family)
        self._weight()
        self._say_unused((*measured, firm, cluster, industry))
        outcome_name = self._yes_or_no(outcome, codes) if family == "bernoulli" else outcome
        outcome_name = next((one.name for one in self.scales), outcome_name)
        outcome_name = next(
            (one.name for one in self.recodes if one.column == outcome), outcome_name
        )
        needed = [*measured, *filter(None, (firm, cluster, industry))]
        # three answers and more make a latent capital, of which some may be lacking
        answers = {
            of.get(one.column, one.column)
            for items in constructs.values()
            if len(items) > 2
            for one in items
        }
        return Draft(
            columns=tuple(self.table.frame.columns),
            firm=firm,
            cluster=named["cluster"],
            industry=named["industry"],
            outcome=outcome_name,
            family=family,
            levels=levels,
            constructs=constructs,
            controls=controls,
            codes={**codes, **words},
            excluded=self.no_firms.line() if self.no_firms.texts else "",
            recodes=tuple(self.recodes),
            scales=tuple(self.scales),
            exposure=exposure,
            panel=self._is_panel(firm),
            contextual=self._contextual(constructs, cluster, codes),
            lacking=self._incomplete([[name] for name in needed], codes) > 0,
            incomplete=self._incomplete(
                [
                    *([name] for name in needed if name not in answers),
                    *(
                        [of.get(one.column, one.column) for one in items]
                        for items in constructs.values()
                        if len(items) > 2
                    ),
                ],
                codes,
            ),
            regions=self._regions(outcome, family, codes, exposure),
            reasons=self.reasons,
            decisions=tuple(self.decisions),
            guessed=tuple(self.guessed),
        )

    def _say_no_firms(self) -> None:
        texts = [f"'{text}'" for each in self.no_firms.texts.values() for text in each]
        if texts:
            more = f" and {len(texts) - 5} more" if len(texts) > 5 else ""
            self.guessed.append(
                f"left out as totals or notes: {rows_text(self.no_firms.rows)} "
                f"({', '.join(texts[:5])}{more})"
            )

    def _sparse_groups(self, roles: Mapping[str, str | None]) -> None:
        """Groups that are named in their first row only, as merged cells are."""
        for role, column in roles.items():
            if column is not None or getattr(self.choices, role) is not None:
                continue
            for name in self.table.frame.columns:
                cells = self.table.frame[name]
                if suggests(role, name) and name not in self.found and cells.nunique() > 1:
                    empty = int(cells.isna().sum())
                    if empty > len(cells) / 2:
                        self.decisions.append(
                            f"which {role} the rows without one lie in: {empty} of {len(cells)} cells of "
                            f"'{name}' are empty. If each name holds for the rows below it, fill it down "
                            f"in the file (--{role} {NONE} for an analysis without)"
                        )
        if roles["cluster"] is None and self.choices.cluster is None and not self.decisions:
            self._say_possible_clusters(roles["industry"])

    def _say_possible_clusters(self, industry: str | None) -> None:
        """Columns of names that repeat, where no name says that it is the cluster."""
        few, many = FEWEST_CLUSTERS, len(self.table.frame) / FEWEST_CLUSTERS
        possible = [
            f"'{name}' ({kind.distinct} different)"
            for name in self.table.frame.columns
            if name not in {*self.found, *self.choices.named, industry}
            and (kind := kind_of(self.table.frame[name])).name in ("text", "labelled codes")
            and few <= kind.distinct <= many
        ]
        if possible:
            self.guessed.append(
                f"no column is named like a cluster, and firms are taken as of one place: could it be "
                f"{' or '.join(possible[:3])} (--cluster)?"
            )

    def _say_unused(self, used: Collection[str | None]) -> None:
        """Columns whose names suggest a capital or a control, and that hold words."""
        open_roles = [
            role
            for role, stated in (
                ("human_capital", self.choices.human),
                ("social_capital", self.choices.social),
                ("control", self.choices.controls),
            )
            if stated is None
        ]
        for name in self.table.frame.columns:
            series = self.table.frame[name]
            kind = kind_of(series)
            if name in used or kind.values is not None or kind.name in ("empty", "dates"):
                continue
            if self.found.get(name, Guess("control", "", True)).role != "control":
                continue
            if any(suggests(role, name) for role in open_roles):
                shown = ", ".join(f"'{cell}'" for cell in series.dropna().unique()[:3])
                self.guessed.append(
                    f"'{name}' is not used, though its name suggests it: it holds words, not numbers "
                    f"({shown})"
                )

    def _values(self, name: str, codes: Mapping[str, Sequence[float]] | None = None) -> Array:
        values = as_float(self.table.frame[name])
        return np.where(np.isin(values, list((codes or {}).get(name, ()))), np.nan, values)

    def _single(self, role: str) -> str | None:
        stated = getattr(self.choices, role)
        if stated == NONE:
            return None
        if stated is not None:
            self.reasons[stated] = "as stated"
            return str(stated)
        names = of_role(self.found, role)
        if not names:
            return None
        self.reasons[names[0]] = self._reason(names[0], self.found[names[0]])
        return names[0]

    def _other_outcomes(self, outcome: str | None) -> None:
        """Name what could be the outcome as well, unless it is stated."""
        others = [
            name
            for name in self.table.frame.columns
            if name not in self.found and suggests("outcome", name) and name != outcome
        ]
        if outcome is not None and self.choices.outcome is None and others:
            self.guessed.append(
                f"'{outcome}' is the outcome; it could be {', '.join(others)} as well (--outcome)"
            )

    def _reason(self, name: str, guess: Guess) -> str:
        if not guess.sure:
            self.guessed.append(f"'{name}' is {guess.role.replace('_', ' ')}: {guess.reason}")
        return guess.reason

    def _stated(self, capital: str) -> tuple[str, ...] | None:
        return self.choices.human if capital == "human_capital" else self.choices.social

    def _construct(self, capital: str, outcome: str | None) -> tuple[Item, ...]:
        stated = self._stated(capital)
        names = of_role(self.found, capital) if stated is None else stated
        items = []
        for name in (each for each in names if each != outcome):
            reason = "as stated" if stated else self._reason(name, self.found[name])
            items.append(Item(self._answers(name), False, reason))
        if not items:
            option = "--human" if capital == "human_capital" else "--social"
            words = capital.replace("_", " ")
            held = [each for each in self.table.frame.columns if suggests(capital, each)]
            held = [each for each in held if each not in self.found and each != outcome]
            why = (
                f"{', '.join(held[:3])} sounds like it, and holds words"
                if held
                else "no name suggests any"
            )
            self.decisions.append(
                f"which columns measure {words}: {why} ({option}; {option} {NONE} for an analysis without)"
            )
        return tuple(items)

    def _answers(self, name: str) -> str:
        """A column of words for yes and no as numbers; any other as it is."""
        series = self.table.frame[name]
        words = list(dict.fromkeys(str(cell) for cell in series.dropna() if isinstance(cell, str)))
        if not words or {word.casefold() for word in words} <= set(YES_NO):
            return name
        meaning: dict[str, str | float] = {
            word: float(word.strip().casefold() in YES)
            for word in words
            if word.strip().casefold() in {*YES, *NO}
        }
        if len(meaning) == len(words):
            self.recodes.append(Recode(name, f"{name}_yes", meaning, False, "words for yes and no"))
            return f"{name}_yes"
        if order := ranks(series):
            self._say_order(name, order)
            values = dict(sorted(order.items(), key=lambda pair: pair[1]))
            self.recodes.append(
                Recode(name, f"{name}_rank", values, False, "its words from the lowest, 1")
            )
            return f"{name}_rank"
        odd = wordy_cells(series)
        if len(odd) < 0.2 * series.notna().sum():
            texts = ", ".join(f"'{text}'" for text in list(dict.fromkeys(map(str, odd)))[:5])
            self.decisions.append(
                f"what {texts} means in '{name}', which holds numbers else: correct the cells by `fix`, "
                "or list it under `missing_values`"
            )
            return name
        self.decisions.append(
            f"what the words of '{name}' are worth as numbers: {', '.join(words[:8])} "
            f"(`derive: [{{kind: recode, name: {name}_rank, of: {name}, values: {{...}}}}]`)"
        )
        return name

    def _say_order(self, name: str, order: Mapping[str, int]) -> None:
        words = {rank: word for word, rank in reversed(list(order.items()))}
        listed = ", ".join(f"{words[rank]} {rank}" for rank in sorted(words))
        self.guessed.append(f"the words of '{name}' have their usual order: {listed}")

    def _controls(self, used: Sequence[str], outcome: str | None) -> tuple[Control, ...]:
        stated = self.choices.controls
        names = of_role(self.found, "control") if stated is None else stated
        controls = []
        for name in names:
            kind = kind_of(self.table.frame[name])
            if name in used or name == outcome:
                continue
            if stated is None and (kind.name == "names" or kind.distinct < 2):
                continue
            if kind.values is None and stated is None and kind.distinct > MOST_CATEGORIES:
                continue
            reason = "as stated" if stated else self._reason(name, self.found[name])
            controls.append(Control(name, self._transform(name), reason))
        return tuple(controls[: None if stated else MOST_CONTROLS])

    def _periods(self, firm: str | None, used: Sequence[str]) -> Iterator[Control]:
        """The column that tells the rows of a firm apart, where firms have several: the year, the wave."""
        if not self._is_panel(firm) or self.choices.controls is not None:
            return
        for name in self.table.frame.columns:
            cells = self.table.frame[[firm, name]].astype(str)
            if name in used or not PERIOD.search(name.lower()) or cells.duplicated().any():
                continue
            if 1 < cells[name].nunique() <= MOST_PERIODS:
                self.guessed.append(
                    f"'{name}' tells the rows of a firm apart: each has its own level; values of the year "
                    "before are made by `derive` (`bayescluster explain lag`)"
                )
                yield Control(str(name), "none", "periods differ", "sum")
                return

    def _transform(self, name: str) -> str:
        if not self._is_number(name):
            return "none"
        values = self._values(name)
        known = values[
            ~np.isnan(values) & ~np.isin(values, suspicious_codes(values[~np.isnan(values)]))
        ]
        if known.size < 3 or np.unique(known).size <= LEVELS or known.min() < 0:
            return "none"
        if _skewness(known) < SKEWED:
            return "none"
        return "log" if known.min() > 0 else "log1p"

    def _codes(self, name: str) -> tuple[float, ...]:
        if name not in self.table.frame or not self._is_number(name):
            return ()
        values = self._values(name)
        return tuple(suspicious_codes(values[~np.isnan(values)]))

    def _directed(
        self, items: tuple[Item, ...], codes: Mapping[str, Sequence[float]]
    ) -> tuple[Item, ...]:
        """Turn the indicators that go against the others, or whose lower code is a yes."""
        columns = [item.column for item in items if item.column in self.table.frame]
        numeric = [name for name in columns if self._is_number(name)]
        against = self._against(numeric, codes)
        turned = []
        for item in items:
            named = (
                ordered_labels(self.table.frame[item.column])
                if item.column in numeric and is_labelled(self.table.frame[item.column])
                else []
            )
            if len(named) == 2 and named[0].strip().casefold() in YES:
                reason = f"its lower code means {named[0]}"
            elif item.column in against:
                reason = "it goes against the other indicators"
            else:
                turned.append(item)
                continue
            self.guessed.append(f"'{item.column}' is turned round: {reason}")
            turned.append(Item(item.column, True, f"{item.reason}; {reason}"))
        return tuple(turned)

    def _against(self, names: Sequence[str], codes: Mapping[str, Sequence[float]]) -> set[str]:
        if len(names) < 3:
            return set()
        frame = pd.DataFrame({name: self._values(name, codes) for name in names})
        correlations = frame.corr()
        found = set()
        for name in names:
            others = correlations.loc[name].drop(name).dropna()
            if len(others) and (others < 0).all():
                found.add(name)
        return found if len(found) < len(names) / 2 else set()

    def _repaired(self, role: str, column: str | None) -> str | None:
        """Give groups that are spelt in several ways one name, in a new column."""
        if column is None:
            return None
        counts = labels(self.table.frame[column]).value_counts()
        meant = spellings(counts)
        if not meant:
            return column
        for old, new in meant.items():
            self.guessed.append(f"{role} '{revealed(old)}' of '{column}' means '{new}'")
        name = f"{column}_clean"
        self.recodes.append(Recode(column, name, meant, True, "spellings of one name"))
        return name

    def _family(
        self, outcome: str | None, codes: Mapping[str, Sequence[float]]
    ) -> tuple[str, tuple[str, ...]]:
        if outcome is None:
            return "bernoulli", ()
        series = self.table.frame[outcome]
        kind = kind_of(series)
        if kind.distinct == 2 or kind.name.startswith("yes or no"):
            return "bernoulli", ()
        if kind.values is None:
            return "ordinal", self._levels(outcome)
        known = self._values(outcome, codes)
        known = known[~np.isnan(known)]
        distinct = np.unique(known).size
        if distinct == 2:
            return "bernoulli", ()
        if (known == np.round(known)).all() and distinct <= LEVELS:
            return "ordinal", ()
        return self._family_of_amounts(outcome, known), ()

    def _family_of_amounts(self, outcome: str, known: Array) -> str:
        if (share := self._share(outcome, known)) is not None:
            known, as_it_is = share
            if as_it_is:
                return GAUSSIAN
        if with_zeros := zeros_family(known):
            self.guessed.append(
                f"{(known == 0).mean():.0%} of '{outcome}' is 0: family {with_zeros} gives zeros a "
                "share of their own, the same for all firms; another question is whether there is any "
                "(a column of 0 and 1)"
            )
            return with_zeros
        if (known == np.round(known)).all() and known.min() >= 0:
            return "negative_binomial"
        if known.min() > 0 and known.max() < 1:
            return "beta"
        skewed = known.min() > 0 and _skewness(known) >= SKEWED
        return "lognormal" if skewed else GAUSSIAN

    def _levels(self, outcome: str) -> tuple[str, ...]:
        """Levels that are words, from the lowest where their scale is known, each in one spelling."""
        series = self.table.frame[outcome]
        counts = labels(series).value_counts()
        meant = spellings(counts)
        if meant:
            self.recodes.append(
                Recode(outcome, f"{outcome}_clean", meant, True, "spellings of one level")
            )
            pairs = ", ".join(f"'{old}' means '{new}'" for old, new in meant.items())
            self.guessed.append(f"of '{outcome}' {pairs}")
        levels = [level for level in ordered_labels(series) if level not in meant]
        if order := scale_of(levels):
            self._say_order(outcome, {level: k + 1 for k, level in enumerate(order)})
            return order
        self.decisions.append(
            f"the order of the levels of '{outcome}', from lowest to highest: {', '.join(levels[:8])}"
        )
        return tuple(levels)

    def _share(self, outcome: str, known: Array) -> tuple[Array, bool] | None:
        """Shares within 0 and 1, of an outcome in percent or with ones; None where it is no share.

        Where much is 0 and much is 1 the outcome stays as it is: no family here has both.
        """
        top = 100.0 if known.max() > 1 else 1.0
        named = PERCENT.search(outcome.lower()) is not None
        if known.min() < 0 or known.max() > top or not (named or known.max() == 1.0):
            return None
        shares = known / top
        zeros, ones = float((shares == 0).mean()), float((shares == 1).mean())
        if top == 1.0 and ones == 0:
            return None
        if ones > MOST_ONES:
            self.guessed.append(
                f"'{outcome}' is a share, {zeros:.0%} of it 0 and {ones:.0%} all: no family has both "
                "ends, and gaussian goes beyond them; whether there is any (`derive`: above), and "
                "whether it is all (at_least), are questions of their own"
            )
            return known, True
        inside = 0.999 if ones else 1.0
        reason = "percent as a share" * (top > 1) + ", " * (top > 1 and bool(ones))
        reason += "a little below 1, which the family does not have" * bool(ones)
        self.scales.append(Scale(outcome, f"{outcome}_share", inside / top, reason))
        return shares * inside, False

    def _yes_or_no(self, outcome: str | None, codes: Mapping[str, Sequence[float]]) -> str | None:
        """The outcome as 0 and 1, recoded where it is coded otherwise."""
        if outcome is None or outcome not in self.table.frame:
            return outcome
        series = self.table.frame[outcome]
        gone = {f"{code:g}" for code in codes.get(outcome, ())}
        named = [label for label in ordered_labels(series) if label not in gone]
        yes = [label for label in named if label.strip().casefold() in YES]
        no = [label for label in named if label.strip().casefold() in NO]
        if (
            (len(named) != 2 and len(yes) + len(no) < len(named))
            or set(named) <= {"0", "1"}
            or pd.api.types.is_bool_dtype(series.dropna())
        ):
            return outcome
        if len(yes) + len(no) == len(named):
            values: dict[str, str | float] = {
                **dict.fromkeys(yes, 1.0),
                **dict.fromkeys(no, 0.0),
            }
        elif named == ["1", "2"]:
            values = {"1": 1.0, "2": 0.0}
            self.guessed.append(f"1 in '{outcome}' means yes, 2 means no: as in most surveys")
        else:
            self.decisions.append(f"which value of '{outcome}' is yes: {named[0]} or {named[1]}")
            values = {named[0]: 0.0, named[1]: 1.0}
        self.recodes.append(Recode(outcome, f"{outcome}_yes", values, False, "yes is 1, no is 0"))
        return f"{outcome}_yes"

    def _say_codes(self, codes: Mapping[str, tuple[float | str, ...]]) -> None:
        """Say what is taken for no answer, columns with the same codes together."""
        columns: dict[tuple[float | str, ...], list[str]] = {}
        for name, found in codes.items():
            columns.setdefault(found, []).append(name)
        for found, names in columns.items():
            listed = ", ".join(code if isinstance(code, str) else f"{code:g}" for code in found)
            of = ", ".join(f"'{name}'" for name in names)
            apart = "as surveys write it" if isinstance(found[0], str) else "apart from all others"
            means = "means" if len(found) == 1 else "mean"
            self.guessed.append(f"{listed} {means} no answer in {of}: {apart}")

    def _incomplete(
        self, sets: Sequence[Sequence[str]], codes: Mapping[str, Sequence[float]]
    ) -> int:
        """Rows that lack every column of some set, codes for no answer counted."""
        lacking = np.zeros(len(self.table.frame), dtype=bool)
        for names in sets:
            each = [
                self.table.frame[name].isna().to_numpy()
                | (np.isnan(self._values(name, codes)) if codes.get(name) else False)
                for name in names
                if name in self.table.frame
            ]
            if each:
                lacking |= np.logical_and.reduce(each)
        return int(lacking.sum())

    def _exposure(self, family: str) -> str | None:
        """How long, or of how much, a count was taken, where a name says so."""
        if family not in COUNTED:
            return None
        for name in self.table.frame.columns:
            if name in self.choices.named or not EXPOSURE.search(name.lower()):
                continue
            if self._is_number(name) and np.nanmin(self._values(name)) > 0:
                self.guessed.append(
                    f"the outcome is counted per '{name}' (exposure): effects and regions are per unit of it"
                )
                return str(name)
        return None

    def _weight(self) -> None:
        for name in of_role(self.found, "weight"):
            self.guessed.append(
                f"'{name}' looks like survey weights, which are not used: `weight: {name}` under data "
                "makes averages speak for the population"
            )

    def _is_panel(self, firm: str | None) -> bool:
        if firm is None:
            return False
        seen = self.table.frame[firm].dropna()
        return len(seen) >= ROWS_A_FIRM * max(labels(seen).nunique(), 1)

    def _contextual(
        self,
        constructs: Mapping[str, Sequence[Item]],
        cluster: str | None,
        codes: Mapping[str, Sequence[float]],
    ) -> tuple[str, ...]:
        """Capitals of which so much lies between clusters that their means belong in the model."""
        if cluster is None:
            return ()
        groups = pd.factorize(labels(self.table.frame[cluster]))[0]
        recoded = {one.name: one for one in self.recodes}
        found = []
        for capital, items in constructs.items():
            answers = []
            for item in items:
                if item.column in recoded:
                    one = recoded[item.column]
                    values = self.table.frame[one.column].map(one.values).to_numpy(dtype="float64")
                elif self._is_number(item.column):
                    values = self._values(item.column, codes)
                else:
                    continue
                spread = np.nanstd(values)
                sign = -1.0 if item.negative else 1.0
                answers.append(
                    sign * (values - np.nanmean(values)) / (spread if spread > 0 else 1.0)
                )
            if not answers:
                continue
            known = ~np.isnan(np.array(answers)).all(axis=0)
            score = np.nanmean(np.array(answers)[:, known], axis=0)
            share = between_share(score, groups[known])
            if share is not None and share >= BETWEEN_MAX:
                words = capital.replace("_", " ")
                self.guessed.append(
                    f"{words} hardly differs between firms of one {cluster}: its effect compares clusters"
                )
            elif share is None or share > BETWEEN_MIN:
                found.append(capital)
        return tuple(found)

    def _is_number(self, name: str) -> bool:
        return kind_of(self.table.frame[name]).values is not None

    def _regions(
        self,
        outcome: str | None,
        family: str,
        codes: Mapping[str, Sequence[float]],
        exposure: str | None,
    ) -> tuple[Suggested, ...]:
        """Regions for an outcome that is no probability, and no share that can be near 1."""
        if outcome is None or family in DEFAULT_REGIONS:
            return ()
        if not self._is_number(outcome):
            return ()
        values = self._values(outcome, codes)
        for scale in self.scales:
            values = values * scale.multiply
        if exposure is not None:
            values = values / self._values(exposure)
        found = regions(values)
        if family == "zero_inflated_beta" and found[0].value >= np.nanmean(values > 0):
            found = (found[1], *found[1:])
        return found


def _skewness(known: Array) -> float:
    spread = known.std()
    return float((((known - known.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0
