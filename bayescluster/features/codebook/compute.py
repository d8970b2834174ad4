"""Make a codebook: profile every column, name what looks wrong, and look at groups and capitals."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from bayescluster.arrays import Array
from bayescluster.dataset.constructs import Scored, correlations
from bayescluster.dataset.prepare import Examined, revealed
from bayescluster.dataset.read import Table
from bayescluster.dataset.values import (
    Code,
    as_float,
    code_of,
    is_labelled,
    labels,
    numeric_problem,
    ordered_labels,
    rows_text,
    sheet_fault,
)
from bayescluster.design.coding import between_share
from bayescluster.design.outcome import NO, YES
from bayescluster.design.record import Design
from bayescluster.estimands.levels import CORNERS
from bayescluster.families.zeros import MANY_ZEROS, zeros_family
from bayescluster.features.codebook.results import (
    CapitalFacts,
    Codebook,
    CodebookColumn,
    CodebookGroup,
    Concern,
    CornerFacts,
    IndicatorFacts,
    LostRows,
)
from bayescluster.features.codebook.spelling import no_answers, ranks, spellings, wordy_cells
from bayescluster.lookup import counted, first_of, scalar
from bayescluster.names import CAPITALS
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import needed_columns
from bayescluster.spec.data import RecodeColumn
from bayescluster.verdicts.support import around_corners

WORDS: Final[dict[str, str]] = {
    "firm": r"(^|_)(firm|company|enterprise|establishment|respondent|plant|business|unternehmen|betrieb"
    r"|firma|firmen|entreprise|empresa|perusahaan|responden)s?(_?(id|no|nr|code|number|name|nummer|n[uú]mero))?$"
    r"|(^|_)(betr|n|id|no|nr|kode|c[oó]digo|n[uú]mero)_?(firm|nr|entreprise|empresa|perusahaan|responden)"
    r"|^(f?id|idstd|panelid|case_?id|case|serial(_no)?|siren|siret)$"
    r"|^(mã|tên)(_số)?_(doanh_nghiệp|dn|công_ty|cơ_sở)|^(企业|公司|厂商|样本)_?(编号|代码|编码|名称|号|id)?$",
    "cluster": r"^cl$|cluster|klaster|clúster|conglomerado|grappe|cụm|集群|集聚|district|(^|_)(region|city|place"
    r"|town|location|site|province|prov|county|ort|standort|pole|pôle|polo|cúmulo|kabupaten|distrito|kreis"
    r"|municipio|ciudad|ville|commune|quận|huyện|tỉnh|xã)($|_)|làng_nghề|khu_công_nghiệp|园区|地区|城市|镇$|县$",
    "industry": r"^ind$|industr|sector|sektor|secteur|setor|settore|branch|branche|^giro|^rama(_|$)|ngành|行业"
    r"|产业|(^|_)(isic|nace|sic|naics|ciiu|kbli|vsic)",
    "weight": r"(^|_)(weight|weights|wt|wgt|wmedian|wstrict|gewicht|pweight|poids|peso|bobot)($|_)|trọng_số"
    r"|权重",
    "outcome": r"upgrad|innov|inov|new_?prod|patent|^(y|outcome)$|value_added|productivity|growth|(^|_)neu"
    r"|wachstum|croissance|crecimiento|log_va$|đổi_mới|nâng_cấp|sáng_chế|升级|创新|新产品|专利",
    "human_capital": r"train|skill|educ|school|tertiary|universit(y|ies)?_(deg|grad|share)|human|manag"
    r"|qualif|graduat|bildung|akadem|(^|_)akad|facharbeit|fachkr[aä]ft|erfahrung|experien|diplom|diplôm|(^|_)formation|formación"
    r"|capacitac|pelatih|pengalaman|terampil|pendidik|r_?and_?d|(^|_)rd_|phd|engineer|apprent|^hc|^h\d*$"
    r"|đào_tạo|trình_độ|học_vấn|tay_nghề|kỹ_năng|kinh_nghiệm|bằng_cấp|培训|教育|学历|技能|经验|人力|研发",
    "social_capital": r"trust|network|netzwerk|associa|asocia|assoc_|joint|co_?op[eé]r|kooper|zusammenarbeit|collab|social"
    r"|(^|_)ties?($|_)|partner|relation|vertrauen|verband|confian|réseau|reseau|(^|_)red(es)?($|_)|vínculo"
    r"|percaya|kerja_?sama|jaringan|links?($|_)|exchange|sharing|share_inf|help|clubs?($|_)|contacts"
    r"|^sc(_|\d|$)|^s\d*$|lòng_tin|niềm_tin|tin_cậy|mạng_lưới|hợp_tác|quan_hệ|liên_kết|hiệp_hội|信任|关系"
    r"|网络|合作|协会|社会资本",
    "control": r"size|employ|staff|worker|(^|_)age($|_)|export|foreign|owned|tnc|found|mitarbeiter|turnover"
    r"|beschäftigt|größe|(^|_|firmen)alter$|umur|jml_tk|tenaga_kerja|karyawan|ekspor|effectif|salarié|taille"
    r"|(^|_)âge($|_)|omzet|umsatz|empleado|trabajador|tamaño|antigüedad|lao_động|nhân_viên|quy_mô|xuất_khẩu"
    r"|tuổi|员工|职工|人数|规模|出口|年龄|外资",
}
"""What the name of a column says of its role; the first that fits holds."""
RATHER: Final = {"cluster": r"^cl$|cluster|klaster|clúster|conglomerado|grappe|cụm|集群"}
"""What says so more plainly than the rest: these columns are looked at first."""
FEWEST_A_GROUP: Final = 2
LEVELS: Final = 7
"""Whole numbers with at most so many values are levels rather than counts."""
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_NAMED = r"(?:jan|feb|m[aä]r|apr|abr|avr|ma[iy]|ju[nil]|ao[uû]|a[ug]|sep|o[ck]t|nov|de[cz]|ene|dic)\w*\.?"
DATE: Final = re.compile(
    rf"(?:{_YEAR}[-/.]{_MONTH}(?:[-/.]{_DAY})?|{_DAY}[-/.]{_MONTH}[-/.](?:{_YEAR}|\d\d)"
    rf"|{_MONTH}/{_DAY}/(?:{_YEAR}|\d\d)|{_MONTH}[-/.]{_YEAR}"
    rf"|(?:{_DAY}[-/. ]+)?{_NAMED}[-/. ]+{_YEAR})(?!\d)",
    re.IGNORECASE,
)
"""Begins a date as people write it, with the time of day or without: 2024-03-01, 1.3.2024, March 2024."""
DAY_IN_DIGITS: Final = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\.0)?")
UNIQUE: Final = 0.5
"""Share of distinct values from which a column names firms rather than groups."""


class Guess(NamedTuple):
    """A role, and what it was guessed from."""

    role: str
    reason: str
    sure: bool


class Kind(NamedTuple):
    """What a column holds: its kind, and its numbers if it is one of numbers."""

    name: str
    values: np.ndarray[Any, np.dtype[np.float64]] | None
    distinct: int


def kind_of(series: pd.Series[Any]) -> Kind:
    """Say what a column holds."""
    cells = series.dropna()
    distinct = int((labels(cells) if cells.dtype == object else cells).nunique())
    if not len(cells):
        return Kind("empty", None, 0)
    if numeric_problem(series) is not None:
        words = {str(value).strip().casefold() for value in cells.unique()}
        if words <= {*YES, *NO} and words & {*YES} and words & {*NO}:
            return Kind("yes or no, in words", None, distinct)
        if all(DATE.match(str(cell)) for cell in cells):
            return Kind("dates", None, distinct)
        return Kind("names" if distinct > UNIQUE * len(cells) else "text", None, distinct)
    values = as_float(series)
    known = values[~np.isnan(values)]
    if is_labelled(series):
        return Kind("labelled codes", values, distinct)
    if distinct > 1 and all(DAY_IN_DIGITS.fullmatch(str(value)) for value in known):
        return Kind("dates", None, distinct)
    if set(known.tolist()) <= {0.0, 1.0}:
        return Kind("yes or no (0, 1)", values, distinct)
    return Kind(
        "whole numbers" if (known == np.round(known)).all() else "numbers", values, distinct
    )


def guesses(table: Table) -> dict[str, Guess]:
    """Guess the role of every column that suggests one; groups and firms at most once."""
    found: dict[str, Guess] = {}
    taken: set[str] = set()
    for role, pattern in WORDS.items():
        plainly = RATHER.get(role, "")
        names = sorted(table.frame.columns, key=lambda name: not re.search(plainly, _plain(name)))
        for name in names:
            described = table.descriptions.get(name, "")
            by_name = _says(pattern, name)
            by_words = _says(pattern, described) if described else None
            if name in found or not (by_name or by_words):
                continue
            if role in taken and role in SINGLE:
                continue
            if not _fits(role, table.frame[name]):
                continue
            taken.add(role)
            what = f"its name says '{by_name[0]}'" if by_name else f"described as '{described}'"
            found[name] = Guess(role, what, bool(by_name))
    return found | _of_batteries(table, found)


NUMBERED: Final = re.compile(r"(.*?)\d+\D*")
FEWEST_OF_A_BATTERY: Final = 2


def _of_batteries(table: Table, found: dict[str, Guess]) -> dict[str, Guess]:
    """Columns without a role among numbered ones that are all answers on one capital.

    A question that is put the other way round often has words of its own.
    """
    more = {}
    for name in table.frame.columns:
        battery = NUMBERED.fullmatch(name)
        if name in found or battery is None:
            continue
        others = [
            other
            for other in found
            if (same := NUMBERED.fullmatch(other)) is not None and same[1] == battery[1]
        ]
        roles = {found[other].role for other in others}
        if len(others) < FEWEST_OF_A_BATTERY or len(roles) > 1 or not roles <= {*CAPITALS}:
            continue
        (role,) = roles
        alike = all(
            kind_of(table.frame[name]).name == kind_of(table.frame[other]).name for other in others
        )
        if alike and _fits(role, table.frame[name]):
            more[name] = Guess(role, f"it stands with {', '.join(others)}", False)
    return more


def suggests(role: str, name: str) -> bool:
    """Whether the name of a column suggests a role."""
    return _says(WORDS[role], name) is not None


def _says(pattern: str, name: str) -> re.Match[str] | None:
    """Where a name says a role, with its accents or without."""
    text = _plain(name)
    bare = "".join(
        sign for sign in unicodedata.normalize("NFD", text) if sign.isalnum() or sign == "_"
    )
    return re.search(pattern, text) or re.search(pattern, bare)


SINGLE: Final = ("firm", "cluster", "industry", "weight", "outcome")


def _plain(name: str) -> str:
    """A name in small letters, its parts joined by underscores."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", unicodedata.normalize("NFC", name))
    return re.sub(r"\W+", "_", spaced.lower()).strip("_")


def _fits(role: str, series: pd.Series[Any]) -> bool:
    """Whether a column can have a role, by what it holds."""
    kind, answered = kind_of(series), int(series.notna().sum())
    if kind.name == "empty" or kind.distinct < FEWEST_A_GROUP:
        return False
    if kind.name == "dates":
        return role == "firm"
    if role == "firm":
        return kind.distinct > UNIQUE * answered or kind.name in ("names", "text", "whole numbers")
    if role in ("cluster", "industry"):
        # numbers with a decimal point are amounts, but for codes of industries (10.1, 10.2)
        plausible = kind.name != "numbers" or role == "industry"
        return plausible and kind.distinct <= max(2, UNIQUE * answered)
    if role == "weight":
        return kind.values is not None and bool(np.nanmin(kind.values) > 0)
    if role in ("human_capital", "social_capital"):
        return (
            kind.values is not None
            or kind.name.startswith("yes or no")
            or ranks(series) is not None
        )
    return kind.name not in ("names",)


def of_role(found: Mapping[str, Guess], role: str) -> tuple[str, ...]:
    """Columns that are guessed to have a role."""
    return tuple(name for name, guess in found.items() if guess.role == role)


BARS: Final = "▁▂▃▄▅▆▇█"
BINS: Final = 10
FEW_VALUES: Final = 8
"""Columns with at most so many values have them listed."""
CODES: Final = (-9, -99, -999, -8, -7, -1, -98, -97, 9, 8, 99, 98, 97, 88, 77, 999, 998, 997, 9999)
"""Numbers that surveys write for no answer."""
APART: Final = 10.0
APART_IN_LOGS: Final = 3.0
"""Interquartile ranges beyond the quartiles from which a value is called an outlier (3: Tukey's far out)."""
NEARLY: Final = 0.98
"""Share of rows with one value from which a column is nearly constant."""
MOSTLY: Final = 0.8
"""Share of numbers from which text in a column is odd."""
SMALL: Final = 5
"""Groups of fewer rows lean on the others."""
POOR: Final = 0.6
"""Reliability below this is poor (Nunnally and Bernstein 1994 ask for 0.7 of research scales)."""
NEAR: Final = 0.5
"""Standard deviations within which a row is near a level."""
MOST_NAMED: Final = 5
FILLED: Final = 0.3
"""Share of the cells of a row from which it is a row of answers."""
FEWEST_COLUMNS: Final = 5
TOTAL: Final = re.compile(
    r"\s*(?:(?:grand |sub-?)?totals?|sum|summe|(?:ins)?gesamt|zwischensumme|somme|suma|totaal|jumlah"
    r"|tổng(?: cộng)?|合计|总计|小计|合計|総計|小計|계|합계)(?![^\W\d])",
    re.IGNORECASE,
)
"""Begins what rows of totals are called."""
FEW_FIRMS: Final = 100
"""Fewer rows than this rarely decide a claim about corners by industry."""
GROUPS: Final = ("firm", "cluster", "industry", "grouping")


class Sources(NamedTuple):
    """What a codebook is made of; without an analysis its roles are guessed.

    ``examined`` are the firms of the analysis, and ``capitals`` its scored constructs, as far as they can
    be made; ``faults`` is all for which it would be refused.
    """

    table: Table
    analysis: Analysis | None = None
    examined: Examined | None = None
    capitals: Mapping[str, Scored] | None = None
    faults: tuple[str, ...] = ()
    design: Design | None = None
    """The first of its forms, where it has no faults."""
    rows: int | None = None
    """Rows of the file, where the table has those only that the analysis selects."""


def codebook_of(sources: Sources) -> Codebook:
    """Make the codebook of a table, or of the table of an analysis."""
    table, analysis = sources.table, sources.analysis
    roles = roles_of(sources)
    kinds = {name: kind_of(table.frame[name]) for name in table.frame.columns}
    columns = tuple(
        _column(table, name, kinds[name], roles.get(name, "")) for name in table.frame.columns
    )
    refused = bool(sources.faults)
    frame = sources.examined.firms.frame if sources.examined and sources.examined.firms else None
    capitals, indicators = tuple(_capitals(sources, frame)), tuple(_indicators(sources, frame))
    # of an analysis the groups as it makes them, names mended and rows left out
    grouped = {} if frame is None or analysis is None else _grouped(analysis)
    groups = tuple(_groups(table.frame, roles) if frame is None else _groups(frame, grouped))
    corners = tuple(_corners(sources))
    concerns = (
        *_concerns(table, kinds, roles, analysis),
        *_concerns_of_zeros(kinds, roles, analysis),
        *_concerns_of_capitals(capitals, indicators, analysis),
        *_concerns_of_groups(groups),
        *_concerns_of_corners(corners),
    )
    return Codebook(
        table=table.label,
        rows=len(table.frame) if sources.rows is None else sources.rows,
        usable=None if refused or frame is None else len(frame),
        guessed=analysis is None,
        notes=tuple(note.text for note in table.notes),
        columns=columns,
        concerns=concerns,
        groups=groups,
        lost=tuple(_lost(sources)),
        capitals=capitals,
        indicators=indicators,
        corners=corners,
        faults=sources.faults,
    )


def roles_of(sources: Sources) -> dict[str, str]:
    """Roles of columns: those of the analysis, or guesses where there is none."""
    if sources.analysis is None:
        return {
            name: guess.role.replace("_", " ") for name, guess in guesses(sources.table).items()
        }
    needed = {item.column: item.role for item in reversed(needed_columns(sources.analysis))}
    sources_of = {
        column: f"for {item.name}"
        for item in sources.analysis.data.derive
        for column in ((item.of,) if isinstance(item.of, str) else item.of)
    }
    return sources_of | {name: role.replace("_", " ") for name, role in needed.items()}


def _column(table: Table, name: str, kind: Kind, role: str) -> CodebookColumn:
    series = table.frame[name]
    known = np.array([]) if kind.values is None else kind.values[~np.isnan(kind.values)]
    low, median, high = (
        (float(known.min()), float(np.median(known)), float(known.max()))
        if known.size
        else (None, None, None)
    )
    return CodebookColumn(
        column=name,
        description=table.descriptions.get(name, ""),
        kind=kind.name,
        role=role,
        answered=int(series.notna().sum()),
        missing=int(series.isna().sum()),
        distinct=kind.distinct,
        low=low,
        median=median,
        high=high,
        histogram=_histogram(known) if kind.distinct > 1 else "",
        common=_common(series, kind),
    )


def _histogram(known: Array) -> str:
    if known.size < 2 or np.ptp(known) == 0:
        return ""
    counts, _ = np.histogram(known, bins=min(BINS, np.unique(known).size))
    steps = np.ceil(counts / counts.max() * (len(BARS) - 1)).astype("int64")
    return "".join(BARS[step] for step in steps)


def _common(series: pd.Series[Any], kind: Kind) -> str:
    if not 0 < kind.distinct <= FEW_VALUES:
        return ""
    counts = labels(series).value_counts()
    codes = {str(label): "" for label in counts.index}
    if is_labelled(series):
        codes = {
            cell.label: f"{code_of(cell)} = " for cell in series.dropna() if isinstance(cell, Code)
        }
    return ", ".join(
        f"{codes.get(label, '')}{label} ({counts[label]})" for label in ordered_labels(series)
    )


# what looks wrong


def _concerns(
    table: Table,
    kinds: Mapping[str, Kind],
    roles: Mapping[str, str],
    analysis: Analysis | None,
) -> Iterator[Concern]:
    derived = () if analysis is None else analysis.data.derive
    recoded = {item.of for item in derived if isinstance(item, RecodeColumn)}
    groups = {name for name, role in roles.items() if role in GROUPS}
    yield from _codes_for_no_answer(
        {name: kind for name, kind in kinds.items() if name not in groups}
    )
    for name, kind in kinds.items():
        series = table.frame[name]
        if kind.name == "empty":
            yield Concern(column=name, what="it is empty", advice="leave it out")
            continue
        yield from _one_value(name, series)
        if kind.values is None and name not in recoded and roles.get(name) != "firm":
            yield from _odd_text(name, series, kind, name in groups)
        elif kind.values is not None and name not in groups:
            yield from _odd_numbers(name, series, kind.values, name in recoded)
    yield from _no_firms(table.frame)
    yield from _duplicates(table.frame, roles)


class NoFirms(NamedTuple):
    """Rows of a table that are no firms: totals, notes below it.

    ``texts`` are their first words, by the column these are in.
    """

    rows: pd.Index
    texts: Mapping[str, tuple[str, ...]]

    def line(self) -> str:
        """The line of an analysis that leaves them out."""
        entries = (
            f"{{column: {scalar(name)}, one_of: [{', '.join(json.dumps(text, ensure_ascii=False) for text in texts)}]}}"
            for name, texts in self.texts.items()
        )
        return f"exclude: [{', '.join(entries)}]"


def rows_without_firm(frame: pd.DataFrame) -> NoFirms:
    """Find rows of a few cells, and those called a total that lack much of what others have."""
    width = len(frame.columns)
    filled = frame.notna().sum(axis=1)
    bare = (filled > 0) & (filled < max(2, FILLED * width))
    if bare.sum() > max(3, (1 - NEARLY) * len(frame)):
        bare[:] = False
    usual = frame.columns[frame.notna().mean() > MOSTLY]
    lacking = frame.index[frame[usual].notna().mean(axis=1) < MOSTLY]
    for row in lacking if len(lacking) < (1 - MOSTLY) * len(frame) else ():
        bare[row] |= any(TOTAL.match(cell) for cell in frame.loc[row] if isinstance(cell, str))
    rows = frame.index[bare] if width >= FEWEST_COLUMNS else frame.index[:0]
    texts: dict[str, list[str]] = {}
    for row in rows:
        words = [(name, cell) for name, cell in frame.loc[row].items() if isinstance(cell, str)]
        for name, cell in sorted(words, key=lambda pair: TOTAL.match(pair[1]) is None)[:1]:
            texts.setdefault(str(name), []).append(cell)
    return NoFirms(rows, {name: tuple(dict.fromkeys(each)) for name, each in texts.items()})


def _no_firms(frame: pd.DataFrame) -> Iterator[Concern]:
    found = rows_without_firm(frame)
    if not len(found.rows):
        return
    texts = [repr(text) for each in found.texts.values() for text in each]
    yield Concern(
        column="",
        what=f"nearly empty, or a total: {rows_text(found.rows)}"
        + (f" ({', '.join(texts[:MOST_NAMED])})" if texts else ""),
        advice=f"if these are no firms, write `{found.line()}`"
        if texts
        else "delete them, if they are no firms",
    )


def _codes_for_no_answer(kinds: Mapping[str, Kind]) -> Iterator[Concern]:
    """Codes that look like no answer; columns that have the same ones make one concern."""
    columns: dict[tuple[float, ...], list[str]] = {}
    known: dict[str, Array] = {}
    for name, kind in kinds.items():
        if kind.values is not None:
            known[name] = kind.values[~np.isnan(kind.values)]
            if codes := suspicious_codes(known[name]):
                columns.setdefault(tuple(sorted(codes)), []).append(name)
    for found, names in columns.items():
        listed = ", ".join(f"{code:g}" for code in found)
        cells = sum(int(np.isin(known[name], found).sum()) for name in names)
        ranges = [_range_without(known[name], found) for name in names]
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
        where = (
            counted(cells, "row") if len(names) == 1 else f"{cells} cells of {len(names)} columns"
        )
        entries = ", ".join(f"{scalar(name)}: [{listed}]" for name in names)
        yield Concern(
            column=names[0],
            others=tuple(names[1:]),
            what=f"{listed} in {where}, where the others go from {low:g} to {high:g}",
            advice=f"if {'it means' if len(found) == 1 else 'they mean'} no answer, write "
            f"`missing_values: {{{entries}}}`",
        )


def _one_value(name: str, series: pd.Series[Any]) -> Iterator[Concern]:
    counts = labels(series).value_counts()
    most, share = counts.index[0], counts.iloc[0] / counts.sum()
    if len(counts) == 1:
        yield Concern(
            column=name,
            what=f"every answer is {most}",
            advice="it can explain nothing: leave it out",
        )
    elif share >= NEARLY:
        yield Concern(
            column=name,
            what=f"{counts.iloc[0]} of {counts.sum()} answers are {most}",
            advice=f"what it explains rests on {counted(int(counts.iloc[1:].sum()), 'row')}",
        )


def _odd_text(name: str, series: pd.Series[Any], kind: Kind, group: bool) -> Iterator[Concern]:
    cells = series.dropna()
    faulty = cells[[sheet_fault(cell) != "" for cell in cells]]
    for fault in dict.fromkeys(sheet_fault(cell) for cell in faulty):
        these = faulty[[sheet_fault(cell) == fault for cell in faulty]]
        yield Concern(
            column=name,
            what=f"{fault}, '{these.iloc[0]}', in {rows_text(these.index)}",
            advice="correct these cells, or open the workbook and save it again",
        )
    wordy = wordy_cells(cells.drop(faulty.index))
    unanswered = [] if group else no_answers(cells)
    if len(wordy) < (1 - MOSTLY) * len(cells) and not group:
        texts = list(dict.fromkeys(str(cell) for cell in wordy))
        if not texts:
            return
        shown = ", ".join(f"'{text}'" for text in texts[:MOST_NAMED])
        listed = ", ".join(json.dumps(text, ensure_ascii=False) for text in texts)
        yield Concern(
            column=name,
            what=f"numbers, but for {shown} in {rows_text(wordy.index)}",
            advice="correct these cells (`fix`); if they mean no answer, write "
            f"`missing_values: {{{scalar(name)}: [{listed}]}}`",
        )
        return
    if unanswered:
        listed = ", ".join(json.dumps(text, ensure_ascii=False) for text in unanswered)
        count = int(cells.isin(unanswered).sum())
        yield Concern(
            column=name,
            what=f"{listed} in {counted(count, 'row')}",
            advice=f"if it means no answer, write `missing_values: {{{scalar(name)}: [{listed}]}}`",
        )
    if kind.name in ("names", "dates"):
        return
    yield from _dates_among_names(name, cells)
    counts = labels(cells[~cells.isin(unanswered)]).value_counts()
    if twice := spellings(counts):
        pairs = list(twice.items())
        shown = "; ".join(f"'{revealed(old)}' for '{new}'" for old, new in pairs[:MOST_NAMED])
        more = f" and {len(pairs) - MOST_NAMED} more" if len(pairs) > MOST_NAMED else ""
        values = ", ".join(
            f"{json.dumps(old)}: {json.dumps(new, ensure_ascii=False)}" for old, new in pairs
        )
        yield Concern(
            column=name,
            what=f"one name in several spellings: {shown}{more}",
            advice=f"write under `derive`: {{kind: recode, name: {scalar(f'{name}_clean')}, of: "
            f"{scalar(name)}, values: {{{values}}}, otherwise: keep}}",
        )


def _dates_among_names(name: str, cells: pd.Series[Any]) -> Iterator[Concern]:
    """Codes such as 10-12 that a spreadsheet took for dates."""
    dates = cells[[DATE.match(str(cell)) is not None for cell in cells]]
    if len(dates):
        yield Concern(
            column=name,
            what=f"dates among names, '{dates.iloc[0]}' in {rows_text(dates.index)}",
            advice="a spreadsheet turns codes such as 10-12 into dates: correct these cells (`fix`)",
        )


def _odd_numbers(
    name: str, series: pd.Series[Any], values: Array, recoded: bool
) -> Iterator[Concern]:
    known = values[~np.isnan(values)]
    codes = suspicious_codes(known)
    rest = known[~np.isin(known, codes)]
    if set(rest.tolist()) == {1.0, 2.0} and not is_labelled(series) and not recoded:
        yield Concern(
            column=name,
            what="coded 1 and 2",
            advice="if 1 means yes, write under `derive`: {kind: recode, name: "
            f"{scalar(f'{name}_yes')}, of: {scalar(name)}, values: {{1: 1, 2: 0}}}}; of an indicator, "
            "`direction: negative` does it too",
        )
    yield from _outliers(name, pd.Series(values, series.index), codes)


def _concerns_of_zeros(
    kinds: Mapping[str, Kind], roles: Mapping[str, str], analysis: Analysis | None
) -> Iterator[Concern]:
    """Amounts that are 0 in many rows; of the outcomes of an analysis its own notes say so."""
    for name, kind in kinds.items():
        if kind.values is None or roles.get(name) in GROUPS:
            continue
        known = kind.values[~np.isnan(kind.values)]
        rest = known[~np.isin(known, suspicious_codes(known))]
        if np.unique(rest[rest > 0]).size <= FEW_VALUES or (rest < 0).any():
            continue
        is_outcome, zeros = roles.get(name) == "outcome", float((rest == 0).mean())
        family = zeros_family(rest) if is_outcome else ""
        if (is_outcome and analysis is not None) or not (family or zeros >= MANY_ZEROS):
            continue
        advice = (
            f"an effect mixes whether there is any with how much: derive a column of whether "
            f"(`kind: above, of: {scalar(name)}, value: 0`), and take one of the two"
        )
        if is_outcome:
            own = f"take `family: {family}`, or " if family else ""
            advice = f"{own}ask first whether there is any (a yes-or-no outcome), then how much"
        yield Concern(column=name, what=f"{zeros:.0%} of the answers are 0", advice=advice)


def suspicious_codes(known: Array) -> list[float]:
    """Numbers that look like codes for no answer: usual ones, apart from all other values.

    A negative one among values from 0; or one above all others, by more than these lie apart and by half
    of their range.
    """
    others = known[~np.isin(known, CODES)]
    distinct = np.unique(others)
    if distinct.size < 2:
        distinct = np.unique(known[known >= 0])
    if distinct.size < 2:
        return []
    low, high = float(distinct[0]), float(distinct[-1])
    step, width = float(np.diff(distinct).max()), high - low
    present = [code for code in CODES if code in known]
    return [
        float(code)
        for code in present
        if code < 0 <= low or (code - high > step and code - high >= max(2.0, width / 2))
    ]


def _range_without(known: Array, codes: Sequence[float]) -> tuple[float, float]:
    others = known[~np.isin(known, codes)]
    return float(others.min()), float(others.max())


def _outliers(name: str, cells: pd.Series[float], codes: Sequence[float]) -> Iterator[Concern]:
    values = cells.to_numpy()
    rest = np.where(np.isin(values, codes), np.nan, values)
    known = rest[~np.isnan(rest)]
    if np.unique(known).size <= FEW_VALUES:
        return
    # amounts are skewed: they are judged in logs
    scale = np.log1p if known.min() >= 0 else np.asarray
    with np.errstate(invalid="ignore"):
        scaled = np.asarray(scale(rest), dtype="float64")
    low, high = np.nanquantile(scaled, [0.25, 0.75])
    width = high - low
    wide = APART_IN_LOGS if known.min() >= 0 else APART
    lowest = -np.inf if known.min() >= 0 else low - wide * width
    far = np.flatnonzero((scaled > high + wide * width) | (scaled < lowest))
    if width == 0 or not far.size or far.size > 0.02 * known.size + 1:
        return
    shown = ", ".join(f"{values[k]:,g} (row {cells.index[k] + 1})" for k in far[:MOST_NAMED])
    more = f" and {far.size - MOST_NAMED} more" if far.size > MOST_NAMED else ""
    yield Concern(
        column=name,
        what=f"far from all others: {shown}{more}; half of the rows are between "
        f"{np.nanquantile(rest, 0.25):,g} and {np.nanquantile(rest, 0.75):,g}",
        advice=f"check these cells; a wrong one is corrected by `fix: [{{column: {scalar(name)}, "
        f"row: {cells.index[far[0]] + 1}, to: ...}}]` (null for no answer), and an amount may need "
        "`transform: log`",
    )


def _duplicates(frame: pd.DataFrame, roles: Mapping[str, str]) -> Iterator[Concern]:
    texts = pd.DataFrame({name: labels(column) for name, column in frame.items()})
    again = texts.index[texts.duplicated()]
    if len(again) and len(frame.columns) > 1:
        yield Concern(
            column="",
            what=f"the same as a row before in every column: {rows_text(again)}",
            advice="delete what was entered twice",
        )
    firm = next((name for name, role in roles.items() if role == "firm"), None)
    if firm is None:
        return
    twice = frame.index[texts[firm].duplicated() & ~texts.duplicated()]
    if 0 < len(twice) < 0.1 * len(frame):
        yield Concern(
            column=firm,
            what=f"{counted(len(twice), 'row')} with a firm that is there already, and other answers: "
            f"{rows_text(twice)}",
            advice="if firms are asked once, one of the two has a wrong number",
        )


# groups, rows lost, capitals


def _grouped(analysis: Analysis) -> dict[str, str]:
    """Columns of the firms of an analysis that hold its groups, with their roles."""
    roles = ("firm", "cluster", "industry")
    return {f"__{role}__": role for role in roles if getattr(analysis.data, role) is not None}


ROLES: Final = ("firm", "cluster")


def _groups(frame: pd.DataFrame, roles: Mapping[str, str]) -> Iterator[CodebookGroup]:
    by_role = {role: name for name, role in reversed(list(roles.items()))}
    cluster, industry = by_role.get("cluster"), by_role.get("industry")
    if cluster is None and industry is None:
        return
    of = pd.Series("all", frame.index) if industry is None else labels(frame[industry])
    named = {role: labels(frame[by_role[role]]) for role in ROLES if role in by_role}
    table = pd.DataFrame(named | {"of": of})
    members = table.groupby("of")
    rows: dict[str, int] = dict(members.size())
    counts: dict[str, Any] = {role: members[role].nunique() for role in named}
    smallest: dict[str, str] = {}
    if cluster is not None:
        sizes = table.groupby(["of", "cluster"], sort=False).size()
        last = sizes.sort_values(ascending=False, kind="stable").groupby(level="of").tail(1)
        sized: dict[tuple[str, str], int] = dict(last)
        smallest = {label: f"{name} ({size})" for (label, name), size in sized.items()}
    for label, size in rows.items():
        firms, clusters = (int(counts[role][label]) if role in counts else None for role in ROLES)
        yield CodebookGroup(
            industry=label,
            rows=size,
            firms=size if firms is None else firms,
            clusters=clusters,
            smallest=smallest.get(label, ""),
        )


def _concerns_of_groups(groups: Sequence[CodebookGroup]) -> Iterator[Concern]:
    rows = sum(group.rows for group in groups)
    if 0 < rows < FEW_FIRMS:
        yield Concern(
            column="",
            what=f"only {counted(rows, 'row')} in all",
            advice="claims by group will mostly stay undecided: `bayescluster design` says what so few "
            "firms can show, and how many would do",
        )
    small = [group for group in groups if group.rows < SMALL]
    if small:
        named = first_of([f"'{group.industry}' ({group.rows})" for group in small], MOST_NAMED)
        yield Concern(
            column="",
            what=f"fewer than {SMALL} rows in industry {named}",
            advice="their effects lean on the other industries: merge them, or leave them out",
        )


def _lost(sources: Sources) -> Iterator[LostRows]:
    """Rows that lack something, by what they lack; a row may lack several things."""
    if sources.analysis is None:
        return
    needed = {item.column for item in needed_columns(sources.analysis) if not item.optional}
    used = [name for name in sources.table.frame.columns if name in needed]
    lacks = sources.table.frame[used].isna()
    alone = lacks.sum(axis=1) == 1
    for name in used:
        if lacks[name].any():
            yield LostRows(
                variable=name, rows=int(lacks[name].sum()), only=int((lacks[name] & alone).sum())
            )


def _capitals(sources: Sources, frame: pd.DataFrame | None) -> Iterator[CapitalFacts]:
    if frame is None:
        return
    for name, scored in (sources.capitals or {}).items():
        values = scored.values
        known = values[~np.isnan(values)]
        low, high = np.quantile(known, [0.1, 0.9])
        yield CapitalFacts(
            capital=name,
            indicators=len(scored.weights),
            reliability=scored.reliability,
            between=between_share(values, pd.factorize(frame["__cluster__"])[0]),
            near_low=None if scored.binary else int((np.abs(known - low) <= NEAR).sum()),
            near_high=None if scored.binary else int((np.abs(known - high) <= NEAR).sum()),
        )


def _indicators(sources: Sources, frame: pd.DataFrame | None) -> Iterator[IndicatorFacts]:
    if frame is None or sources.analysis is None:
        return
    for name, construct in sources.analysis.constructs.items():
        if name not in (sources.capitals or {}) or len(construct.items) < 2:
            continue
        columns = [as_float(_answers(frame[item.column])) for item in construct.items]
        signs = [-1.0 if item.direction == "negative" else 1.0 for item in construct.items]
        items = np.column_stack([sign * one for sign, one in zip(signs, columns, strict=True)])
        scaled = (items - np.nanmean(items, axis=0)) / np.nanstd(items, axis=0)
        for k, item in enumerate(construct.items):
            others = np.delete(scaled, k, axis=1)
            answers = (~np.isnan(others)).sum(axis=1)
            rest = np.where(answers > 0, np.nansum(others, axis=1) / np.maximum(answers, 1), np.nan)
            r = float(correlations(np.column_stack([scaled[:, k], rest]))[0, 1])
            yield IndicatorFacts(
                capital=name, indicator=item.column, item_rest=r if np.isfinite(r) else None
            )


def _answers(series: pd.Series[Any]) -> pd.Series[Any]:
    """Words for yes and no as numbers; other columns as they are."""
    if numeric_problem(series) is None:
        return series
    return series.map(lambda cell: float(str(cell).casefold() == "yes"), na_action="ignore")


def _concerns_of_capitals(
    capitals: Sequence[CapitalFacts],
    indicators: Sequence[IndicatorFacts],
    analysis: Analysis | None,
) -> Iterator[Concern]:
    measured = {} if analysis is None else analysis.constructs
    for one in indicators:
        if one.item_rest is not None and one.item_rest < 0:
            yield Concern(
                column=one.indicator,
                what=f"goes against the other indicators of {one.capital} (r = {one.item_rest:.2f})",
                advice="check its direction (`direction: negative`) and its codes for no answer",
            )
    for capital in capitals:
        if capital.reliability is not None and capital.reliability < POOR:
            is_latent = capital.capital in measured and measured[capital.capital].method == "latent"
            yield Concern(
                column="",
                what=f"the indicators of {capital.capital} hardly go together: reliability "
                f"{capital.reliability:.2f}",
                advice="check directions and codes"
                + ("" if is_latent else "; `method: latent` keeps the error out of effects"),
            )


def _corners(sources: Sources) -> Iterator[CornerFacts]:
    design = sources.design
    if design is None or not set(CAPITALS) <= set(design.analysis.constructs):
        return
    for one in around_corners(design):
        yield CornerFacts(
            by=one.by,
            group=one.group,
            levels=one.levels.declared,
            least=max(one.least),
            thin=tuple(FIELDS[corner] for corner in one.thin),
            **dict(zip(FIELDS.values(), one.firms, strict=True)),
        )


FIELDS: Final = dict(
    zip(CORNERS, ("both_low", "human_only", "social_only", "both_high"), strict=True)
)


def _concerns_of_corners(corners: Sequence[CornerFacts]) -> Iterator[Concern]:
    """Where claims cannot be supported, whatever a fit says, since firms are lacking at a corner."""
    for by, least in dict.fromkeys((one.by, one.least) for one in corners):
        where: dict[str, list[str]] = {}
        for one in corners:
            for corner in one.thin if (one.by, one.least) == (by, least) else ():
                where.setdefault(corner, []).append(f"'{one.group}'")
        if not where:
            continue
        whole = by == "all"
        found = (
            corner if whole else f"{corner} ({first_of(names, MOST_NAMED)})"
            for corner, names in where.items()
        )
        wider = "" if whole else "judge them over all firms (`by: all`), "
        yield Concern(
            column="",
            what=f"claims {'' if whole else f'by {by} '}need {least:g} firms around each corner of the two "
            f"capitals, and there are fewer with {'; '.join(found)}",
            advice=f"no claim that rests on them can be supported: {wider}declare levels nearer to the "
            "firms (`low: 0.2, high: 0.8`), or add such firms",
        )
