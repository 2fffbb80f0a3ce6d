"""What docs/actions.md says of an action is what the action's own file says."""

import re
from pathlib import Path

from tools.catalog import actions

PAGE = Path(__file__).resolve().parents[2] / "docs" / "actions.md"
ROW = re.compile(r"\| `(\w+)` \| (.+?) \| (yes|no) \| L(\d) \| .+ \|")


def test_the_page_of_actions_tells_what_their_files_say() -> None:
    known = {name: kind.facts for name, kind in actions().items()}
    rows = ROW.findall(PAGE.read_text("utf-8"))
    assert len(rows) > 20
    for name, summary, back, level in rows:
        facts = known[name]
        assert summary == facts.summary
        assert (back == "yes") == facts.reversible, name
        assert int(level) == facts.highest_level, name
