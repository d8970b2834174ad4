"""Sections of the report, one file each, and the table that lists them in order."""

from __future__ import annotations

from bayescluster.report.sections.ceilings import CEILINGS
from bayescluster.report.sections.checks import CHECKS
from bayescluster.report.sections.claims import CLAIMS
from bayescluster.report.sections.corners import CORNERS
from bayescluster.report.sections.effects import EFFECTS
from bayescluster.report.sections.forms import FORMS
from bayescluster.report.sections.header import HEADER
from bayescluster.report.sections.learning import LEARNING
from bayescluster.report.sections.likelihoods import LIKELIHOODS
from bayescluster.report.sections.model import MODEL
from bayescluster.report.sections.reading import READING
from bayescluster.report.sections.record import Section
from bayescluster.report.sections.reproduction import REPRODUCTION
from bayescluster.report.sections.sample import SAMPLE
from bayescluster.report.sections.verdicts import VERDICTS

__all__ = ["SECTIONS", "Section"]

SECTIONS: tuple[Section, ...] = (
    HEADER,
    VERDICTS,
    CLAIMS,
    FORMS,
    SAMPLE,
    EFFECTS,
    CORNERS,
    CEILINGS,
    LEARNING,
    CHECKS,
    LIKELIHOODS,
    MODEL,
    READING,
    REPRODUCTION,
)
