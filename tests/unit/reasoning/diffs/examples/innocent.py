"""Examples of changes that cannot hurt, and of dangerous ones that look like them."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples


def _d(path: str, *lines: str) -> str:
    return "\n".join((f"--- a/{path}", f"+++ b/{path}", "@@ -3,5 +3,5 @@", *lines, ""))


def _e(a: str, b: str, c: str, d: str) -> Examples:
    return Examples(reads=(a, b), ignores=(c, d))


EXAMPLES: Mapping[str, Examples] = {
    "log_text": _e(
        _d(
            "kiln.py",
            '-    logger.info("kiln %s hot", kiln)',
            '+    logger.info("kiln %s ready", kiln)',
        ),
        _d("kiln.js", "-  console.log('hot', kiln);", "+  console.debug('hot', kiln);"),
        _d("kiln.js", "-  catalog.find(kiln);", "+  catalog.findAll();"),
        _d("kiln.go", '-\tlog.Printf("kiln: %v", err)', '+\tlog.Fatalf("kiln: %v", err)'),
    ),
    "metrics_added": _e(
        _d("kiln.py", " def fire(kiln):", "+    fired_counter.inc()", "     kiln.fire()"),
        _d("kiln.go", " \tkiln.Fire()", "+\tmetrics.Fired.Add(ctx, 1)"),
        _d("kiln.py", " def fire(kiln):", "+    fired_counter.inc()", "+    kiln.reload_all()"),
        _d("kiln.js", "+  firedCounter.labels(req.userId).inc();", "   kiln.fire();"),
    ),
    "renamed": _e(
        _d(
            "kiln.py",
            "-    pot = shelf.take()",
            "-    return glaze(pot)",
            "+    bowl = shelf.take()",
            "+    return glaze(bowl)",
        ),
        _d(
            "kiln.go",
            "-\theat := k.read()",
            "-\treturn heat + base",
            "+\tdegrees := k.read()",
            "+\treturn degrees + base",
        ),
        _d("kiln.py", "-    return glaze(pot, bowl)", "+    return glaze(bowl, pot)"),
        _d("kiln.go", "-\treturn k.inner.Read()", "+\treturn k.outer.Read()"),
    ),
    "imports": _e(
        _d("kiln.py", "-import os", "+import pathlib", " import sys"),
        _d("Kiln.java", "+import java.util.List;", "-import java.util.ArrayList;"),
        _d("kilns.json", ' "open": [', '-  "north"', " ]"),
        _d("go.mod", "-require glaze.works/kiln v1.4.0", "+require glaze.works/kiln v1.9.0"),
    ),
    "guard_added": _e(
        _d("kiln.go", " \tpot := k.pot()", "+\tif pot == nil {", "+\t\treturn nil", "+\t}"),
        _d("kiln.py", " def fire(pot):", "+    if pot is None:", "+        return"),
        _d("kiln.go", " \tpot := k.pot()", "-\tif pot == nil {", "-\t\treturn nil", "-\t}"),
        _d("kiln.py", " def fire(pot):", "+    if pot is None:", "+        raise Cold(pot)"),
    ),
    "close_added": _e(
        _d("kiln.go", " \trows, err := k.rows(ctx)", "+\tdefer rows.Close()"),
        _d("kiln.py", "+    finally:", "+        conn.close()"),
        _d("kiln.go", " \trows, err := k.rows(ctx)", "-\tdefer rows.Close()"),
        _d("kiln.py", "     conn = pool.take()", "+    # conn.close()", "-    conn.close()"),
    ),
    "deadline_added": _e(
        _d(
            "kiln.py",
            "-    reply = requests.get(url)",
            "+    reply = requests.get(url, timeout=10)",
        ),
        _d("kiln.go", "+\tctx, cancel := context.WithTimeout(ctx, limit)", " \treturn k.ask(ctx)"),
        _d(
            "kiln.py",
            "-    reply = requests.get(url, timeout=10)",
            "+    reply = requests.get(url, timeout=1)",
        ),
        _d(
            "kiln.go",
            "+\tctx, cancel := context.WithTimeout(ctx, 5*time.Millisecond)",
            " \treturn k.ask(ctx)",
        ),
    ),
    "error_check_added": _e(
        _d("kiln.go", " \tpot, err := k.pot()", "+\tif err != nil {", "+\t\treturn err", "+\t}"),
        _d("kiln.rb", "   kiln.fire", "+rescue Cold => e", "+  retire(e)"),
        _d("kiln.go", " \tpot, err := k.pot()", "-\tif err != nil {", "-\t\treturn err", "-\t}"),
        _d("kiln.py", "     kiln.fire()", "+except Exception:", "+    pass"),
    ),
    "backoff_added": _e(
        _d("kiln.py", " def ask(kiln):", "+    sleep(backoff(attempt))"),
        _d("kiln.yaml", " retry:", "+  jitter: true"),
        _d("kiln.py", " def ask(kiln):", "-    sleep(backoff(attempt))"),
        _d("kiln.yaml", " retry:", "-  backoff: 2s", "+  backoff: 0s"),
    ),
    "index_added": _e(
        _d("a.sql", "+CREATE INDEX CONCURRENTLY pots_day ON pots (day);"),
        _d("a.rb", "+    add_index :pots, :day, algorithm: :concurrently"),
        _d("a.sql", "+CREATE INDEX pots_day ON pots (day);"),
        _d(
            "a.rb",
            "-    add_index :pots, :day, algorithm: :concurrently",
            "+    add_index :pots, :day",
        ),
    ),
    "batching_added": _e(
        _d(
            "kiln.py",
            '+    pots = Pot.objects.select_related("kiln")',
            "-    pots = Pot.objects.all()",
        ),
        _d("kiln.rb", "-    Pot.where(day: day)", "+    Pot.includes(:kiln).where(day: day)"),
        _d(
            "kiln.py",
            '-    pots = Pot.objects.select_related("kiln")',
            "+    pots = Pot.objects.all()",
        ),
        _d("kiln.rb", "-    Pot.where(day: day)", "+    Pot.where(day: day) # .includes(:kiln)"),
    ),
    "lock_narrowed": _e(
        _d("kiln.go", "+\tk.mu.Lock()", "+\tdefer k.mu.Unlock()", " \tk.heat++"),
        _d("Kiln.java", "   void fire() {", "+    lock.lock();", "     heat++;"),
        _d("kiln.go", "-\tk.mu.Lock()", "-\tdefer k.mu.Unlock()", " \tk.heat++"),
        _d("kiln.go", "+\tk.mu.Lock()", "+\theat, err := k.client.Heat(ctx)", " \tk.heat = heat"),
    ),
}
