"""Keeps every investigation as a case in a folder, when the settings name one."""

import logging
from pathlib import Path

from bot.domain.diagnosis import Report
from bot.domain.errors import Malformed
from bot.evaluation.keeping import keep
from bot.perception.case import Case
from bot.reports.answer import answer
from bot.workflows.investigation import Keep

LOG = logging.getLogger(__name__)


def keeper(folder: Path | None) -> Keep | None:
    """Return what keeps an investigation below `folder`, None if nobody wants that.

    One that is there already stays as it is. A disk that is full or read-only is logged.
    """
    if folder is None:
        return None

    def keep_one(case: Case, report: Report) -> None:
        name = "".join(c if c.isalnum() or c in "-_" else "_" for c in report.investigation_id)
        place = folder / name[:120]
        try:
            if not place.exists():
                keep(place, case, answer(report))
        except (OSError, Malformed) as error:
            LOG.warning("a case was not kept in %s: %s", place, error)

    return keep_one
