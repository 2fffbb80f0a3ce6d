"""Examples of resources that are no longer given back, and of their look-alikes."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples, diff, four

EXAMPLES: Mapping[str, Examples] = {
    "return_before_close": four(
        diff(
            "Ledger.java",
            "   Connection c = pool.getConnection();",
            "+  if (entries.isEmpty()) return;",
            "   write(c, entries);",
            "   c.close();",
        ),
        diff(
            "ledger.py",
            "     conn = pool.acquire()",
            "+    if not entries:",
            "+        return 0",
            "     write(conn, entries)",
            "     conn.release()",
        ),
        diff(
            "ledger.go",
            "   conn, err := pool.Acquire(ctx)",
            "   defer conn.Release()",
            "+  if len(entries) == 0 {",
            "+    return nil",
            "+  }",
            "   write(conn, entries)",
        ),
        diff(
            "ledger.py",
            "+    if not entries:",
            "+        return 0",
            "     conn = pool.acquire()",
            "     write(conn, entries)",
            "     conn.release()",
        ),
    ),
    "finally_removed": four(
        diff(
            "Ledger.java",
            "-  try {",
            "     write(c);",
            "-  } finally {",
            "-    c.close();",
            "-  }",
            "+  c.close();",
        ),
        diff("ledger.rb", "   write(file)", "- ensure", "   file.close()", " end"),
        diff(
            "Ledger.java",
            "-  try {",
            "-    write(c);",
            "-  } finally {",
            "-    c.close();",
            "+  try (Connection c = open()) {",
            "+    write(c);",
            "   }",
        ),
        diff(
            "ledger.py",
            "-    finally:",
            "-        conn.close()",
            "+    with pool.connection() as conn:",
            "+        write(conn)",
        ),
    ),
    "close_removed": four(
        diff("ledger.go", " \tread(file)", "-\tfile.Close()", " \treturn nil"),
        diff("ledger.py", "     rows = read(conn)", "-    pool.putconn(conn)", "     return rows"),
        diff("ledger.go", "+\tdefer file.Close()", " \tread(file)", "-\tfile.Close()"),
        diff(
            "ledger.py",
            "-    conn = pool.connect()",
            "-    rows = read(conn)",
            "-    conn.close()",
            "+    with pool.connect() as conn:",
            "+        rows = read(conn)",
        ),
    ),
    "with_removed": four(
        diff(
            "ledger.py",
            "-    with open(path) as file:",
            "-        return parse(file)",
            "+    file = open(path)",
            "+    return parse(file)",
        ),
        diff(
            "Ledger.cs",
            "-  using (var conn = factory.OpenConnection())",
            "+  var conn = factory.OpenConnection();",
            "   Write(conn);",
        ),
        diff(
            "ledger.py",
            "-    file = open(path)",
            "-    return parse(file)",
            "+    with open(path) as file:",
            "+        return parse(file)",
        ),
        diff(
            "ledger.py",
            "-    with open(path) as file:",
            "-        return parse(file)",
            "+    return parse(Path(path).read_text())",
        ),
    ),
    "rollback_removed": four(
        diff("ledger.go", " \tif err != nil {", "-\t\ttx.Rollback()", " \t\treturn err", " \t}"),
        diff("ledger.py", "     except Unpaid:", "-        session.rollback()", "         raise"),
        diff(
            "ledger.go",
            "+\tdefer tx.Rollback()",
            " \tif err != nil {",
            "-\t\ttx.Rollback()",
            " \t}",
        ),
        diff(
            "ledger.py",
            "-    except Unpaid:",
            "-        session.rollback()",
            "+    with session.transaction():",
            "         post(entry)",
        ),
    ),
    "commit_removed": four(
        diff("ledger.py", "     session.add(entry)", "-    session.commit()", "     return entry"),
        diff("ledger.go", " \tpost(tx, entry)", "-\treturn tx.Commit()", "+\treturn nil"),
        diff("ledger.py", "     session.add(entry)", "+    session.commit()", "     return entry"),
        diff(
            "intake.py", " for record in consumer:", "     post(record)", "-    consumer.commit()"
        ),
    ),
    "body_not_closed": four(
        diff("ledger.go", " \tresp, err := call(req)", "-\tdefer resp.Body.Close()"),
        diff(
            "ledger.go",
            " \trows, err := read(ctx)",
            "-\tdefer rows.Close()",
            " \tfor rows.Next() {",
        ),
        diff("ledger.go", "-\tresp.Body.Close()", "+\tdefer func() { _ = resp.Body.Close() }()"),
        diff(
            "ledger.go",
            "-\tresp, err := http.Get(url)",
            "-\tdefer resp.Body.Close()",
            "+\tbody, err := s.fetch(ctx, url)",
        ),
    ),
    "rows_opened_not_closed": four(
        diff("ledger.go", "+\trows, err := db.Query(ctx, entries)", "+\tfor rows.Next() {"),
        diff("ledger.go", "+\tresp, err := http.Get(url)", "+\treturn decode(resp.Body)"),
        diff("ledger.go", "+\trows, err := db.Query(entries)", "+\tdefer rows.Close()"),
        diff("ledger.go", "+\trows, err := db.Query(entries)", "+\treturn rows, err"),
    ),
    "opened_outside_with": four(
        diff("ledger.py", " def load(path):", "+    file = open(path)", "+    return parse(file)"),
        diff("Ledger.java", "+    Connection c = pool.getConnection();", "+    write(c);"),
        diff("ledger.py", "+    file = open(path)", "+    rows = parse(file)", "+    file.close()"),
        diff("Ledger.java", "+    try (Connection c = pool.getConnection()) {", "+      write(c);"),
    ),
    "timer_leak": four(
        diff("ledger.go", " \tticker := clock.Every(minute)", "-\tdefer ticker.Stop()"),
        diff(
            "Ledger.tsx",
            "   useEffect(() => {",
            "-    return () => clearInterval(handle);",
            "   });",
        ),
        diff("ledger.go", "-\tticker.Stop()", "+\tdefer ticker.Stop()"),
        diff(
            "Ledger.tsx",
            "-    const handle = setInterval(refresh, 5000);",
            "-    return () => clearInterval(handle);",
            "+    refresh();",
        ),
    ),
    "timer_per_call": four(
        diff(
            "ledger.go", "+\tfor range time.Tick(time.Second) {", within="func (l *Ledger) Post() {"
        ),
        diff("ledger.js", " app.get('/entries', (req, res) => {", "+  bus.on('entry', send);"),
        diff("ledger.go", "+\tticker := time.NewTicker(time.Second)", "+\tdefer ticker.Stop()"),
        diff("ledger.js", "-  setInterval(refresh, 5000);", "+  setInterval(refresh, 60000);"),
    ),
    "goroutine_stuck": four(
        diff(
            "ledger.go",
            " \tselect {",
            "-\tcase <-ctx.Done():",
            "-\t\treturn",
            " \tcase e := <-entries:",
        ),
        diff("ledger.go", "-\tout := make(chan Entry, len(ids))", "+\tout := make(chan Entry)"),
        diff("ledger.go", "-\tdone := make(chan error, 1)", "+\tdone := make(chan error, 4)"),
        diff("ledger.go", "-\tcase <-ctx.Done():", "+\tcase <-parent.ctx.Done():", " \t\treturn"),
    ),
    "cancel_dropped": four(
        diff("ledger.go", "+\tctx, _ := context.WithTimeout(ctx, time.Second)", " \tpost(ctx)"),
        diff(
            "ledger.go",
            "-\tctx, cancel := context.WithCancel(ctx)",
            "+\tctx, _ = context.WithCancel(ctx)",
        ),
        diff("ledger.go", "-\tctx, _ := context.WithTimeout(ctx, time.Second)", " \tpost(ctx)"),
        diff("ledger.go", "+\tctx, cancel := context.WithTimeout(ctx, wait)", "+\tdefer cancel()"),
    ),
    "thread_per_request": four(
        diff(
            "Ledger.java",
            "+    new Thread(() -> audit(entry)).start();",
            within="void post(Entry entry) {",
        ),
        diff(
            "ledger.py",
            " def post(entry):",
            "+    threading.Thread(target=audit, args=(entry,)).start()",
        ),
        diff(
            "ledger.go",
            " \twg.Add(1)",
            "+\tgo func() {",
            "+\t\tdefer wg.Done()",
            "+\t\taudit(entry)",
        ),
        diff("ledger.py", " def main():", "+    threading.Thread(target=sweep).start()"),
    ),
    "executor_replaced_by_threads": four(
        diff("Ledger.java", "-    executor.submit(audit);", "+    new Thread(audit).start();"),
        diff("ledger.go", "-\tl.workers.Submit(audit)", "+\tgo audit(entry)"),
        diff("Ledger.java", "-    new Thread(audit).start();", "+    executor.submit(audit);"),
        diff("ledger.go", "-\tl.workers.Submit(audit)", "+\tl.workers.Submit(check)"),
    ),
    "consumer_of_stream_dropped": four(
        diff("ledger.service", " [Service]", "-LimitNOFILE=65536", " ExecStart=/srv/ledger"),
        diff("start.sh", "-ulimit -n 65536", " exec ledger"),
        diff("ledger.service", " [Service]", "+LimitNOFILE=65536", " ExecStart=/srv/ledger"),
        diff("start.sh", "-ulimit -n 65536", "+ulimit -n 131072", " exec ledger"),
    ),
}
