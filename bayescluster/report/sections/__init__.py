"""Sections of the report, one file each, and the table that lists them in order."""

from __future__ import annotations

from bayescluster.report.sections.causes import CAUSES
from bayescluster.report.sections.ceiling_models import CEILING_MODELS
from bayescluster.report.sections.ceilings import CEILINGS
from bayescluster.report.sections.checklist import CHECKLIST
from bayescluster.report.sections.checks import CHECKS
from bayescluster.report.sections.claims import CLAIMS
from bayescluster.report.sections.corners import CORNERS
from bayescluster.report.sections.effects import EFFECTS
from bayescluster.report.sections.fit_checks import FIT_CHECKS
from bayescluster.report.sections.folds import FOLDS
from bayescluster.report.sections.forms import FORMS
from bayescluster.report.sections.header import HEADER
from bayescluster.report.sections.learning import LEARNING
from bayescluster.report.sections.likelihoods import LIKELIHOODS
from bayescluster.report.sections.model import MODEL
from bayescluster.report.sections.reading import READING
from bayescluster.report.sections.record import Section
from bayescluster.report.sections.reproduction import REPRODUCTION
from bayescluster.report.sections.sample import SAMPLE
from bayescluster.report.sections.sensitivity import SENSITIVITY
from bayescluster.report.sections.sets import SETS
from bayescluster.report.sections.verdict_curves import VERDICT_CURVES
from bayescluster.report.sections.verdicts import VERDICTS
from bayescluster.report.sections.weakest import WEAKEST_NODE

__all__ = ["SECTIONS", "Section"]

SECTIONS: tuple[Section, ...] = (
    HEADER,
    VERDICTS,
    VERDICT_CURVES,
    CLAIMS,
    FORMS,
    SAMPLE,
    EFFECTS,
    CORNERS,
    CEILING_MODELS,
    CEILINGS,
    SETS,
    CAUSES,
    WEAKEST_NODE,
    LEARNING,
    CHECKS,
    FIT_CHECKS,
    FOLDS,
    LIKELIHOODS,
    SENSITIVITY,
    CHECKLIST,
    MODEL,
    READING,
    REPRODUCTION,
)
