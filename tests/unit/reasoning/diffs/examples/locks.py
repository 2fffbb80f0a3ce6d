"""Examples of locks and transactions that changed, and of their look-alikes."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples, diff, four

EXAMPLES: Mapping[str, Examples] = {
    "held_across_call": four(
        diff(
            "seats.go",
            " \ts.mu.Lock()",
            " \tdefer s.mu.Unlock()",
            "+\tfare, err := s.fareClient.Quote(ctx, seat)",
            " \ts.held[seat] = true",
        ),
        diff(
            "Seats.java",
            "   @Transactional",
            "   public void hold(Seat seat) {",
            "     repo.save(seat);",
            "+    restTemplate.postForObject(url, seat, String.class);",
            "   }",
        ),
        diff(
            "seats.go",
            "+\tfare, err := s.fareClient.Quote(ctx, seat)",
            " \ts.mu.Lock()",
            " \tdefer s.mu.Unlock()",
            " \ts.held[seat] = true",
        ),
        diff(
            "seats.py",
            "     with self.lock:",
            "-        fare = fare_client.quote(seat)",
            "         self.held.add(seat)",
            "+    fare = fare_client.quote(seat)",
        ),
    ),
    "lock_order": four(
        diff("seats.go", "-\ta.mu.Lock()", " \tb.mu.Lock()", "+\ta.mu.Lock()"),
        diff("seats.py", "+    cabin.acquire()", "     seat.acquire()", "-    cabin.acquire()"),
        diff("seats.go", " \ta.mu.Lock()", "-\tb.lock.Lock()", "+\tb.mu.Lock()"),
        diff("seats.py", "     cabin.acquire()", "+    check(cabin)", "     seat.acquire()"),
    ),
    "unlock_removed": four(
        diff("seats.go", " \ts.mu.Lock()", "-\tdefer s.mu.Unlock()", " \ts.held[seat] = true"),
        diff("seats.py", "     self.held.add(seat)", "-    self.lock.release()"),
        diff("seats.go", "-\ts.mu.Lock()", "-\ts.held[seat] = true", "-\ts.mu.Unlock()"),
        diff(
            "seats.py",
            "-    self.held.add(seat)",
            "-    self.lock.release()",
            "+    with self.lock:",
            "+        self.held.add(seat)",
        ),
    ),
    "lock_removed": four(
        diff("seats.go", "-\ts.mu.Lock()", "-\tdefer s.mu.Unlock()", " \ts.held[seat] = true"),
        diff(
            "Seats.java",
            "-  private final Map<Seat, Hold> held = new ConcurrentHashMap<>();",
            "+  private final Map<Seat, Hold> held = new HashMap<>();",
        ),
        diff("seats.go", "-\ts.mu.Lock()", "+\ts.mutex.Lock()", " \ts.held[seat] = true"),
        diff(
            "Seats.java",
            "-  public synchronized void hold(Seat seat) {",
            "+  public void hold(Seat seat) {",
            "+    lock.lock();",
        ),
    ),
    "rw_lock_replaced": four(
        diff("seats.go", "-\tmu sync.RWMutex", "+\tmu sync.Mutex"),
        diff(
            "Seats.java",
            "-    guard.readLock().lock();",
            "+    guard.writeLock().lock();",
            "     return held.get(seat);",
        ),
        diff("seats.go", "-\tmu sync.Mutex", "+\tmu sync.RWMutex"),
        diff("seats.go", "-\ts.mu.RLock()", "+\ts.guard.RLock()", " \treturn s.held[seat]"),
    ),
    "lock_added": four(
        diff(
            "seats.py",
            " def hold(self, seat):",
            "+    with self._lock:",
            "+        self._hold(seat)",
        ),
        diff(
            "Seats.java",
            "-  public void hold(Seat s) {",
            "+  public synchronized void hold(Seat s) {",
        ),
        diff(
            "seats.py",
            "-    with self._lock:",
            "-        self._hold(seat)",
            "+    self._hold(seat)",
        ),
        diff("seats.go", "+\ts.mu.RLock()", "+\tdefer s.mu.RUnlock()", " \treturn s.held[seat]"),
    ),
    "global_lock_added": four(
        diff("seats.py", "+HOLD_LOCK = threading.Lock()", " class Seats:"),
        diff("Seats.java", "+    synchronized (Seats.class) {", "       hold(seat);"),
        diff("seats.py", "-HOLD_LOCK = threading.Lock()", " class Seats:"),
        diff("Seats.java", "+    synchronized (this.locks.get(seat)) {", "       hold(seat);"),
    ),
    "row_locked": four(
        diff(
            "seats.sql",
            "-SELECT id FROM seats WHERE flight = 7;",
            "+SELECT id FROM seats WHERE flight = 7 FOR UPDATE;",
        ),
        diff(
            "seats.py",
            "-    seat = Seat.objects.get(pk=pk)",
            "+    seat = Seat.objects.select_for_update().get(pk=pk)",
        ),
        diff(
            "seats.sql",
            "-SELECT id FROM seats WHERE flight = 7 FOR UPDATE;",
            "+SELECT id FROM seats WHERE flight = 7 FOR UPDATE SKIP LOCKED;",
        ),
        diff(
            "seats.py",
            "-    seat = Seat.objects.select_for_update().get(pk=pk)",
            "+    seat = Seat.objects.get(pk=pk)",
        ),
    ),
    "isolation_raised": four(
        diff(
            "Seats.java",
            "+  @Transactional(isolation = Isolation.SERIALIZABLE)",
            "   void hold() {",
        ),
        diff("seats.go", "-\ttx := begin(nil)", "+\ttx := begin(sql.LevelSerializable)"),
        diff(
            "Seats.java",
            "-  @Transactional(isolation = Isolation.SERIALIZABLE)",
            "   void hold() {",
        ),
        diff("Seats.java", "-public class Seat {", "+public class Seat implements Serializable {"),
    ),
    "skip_locked_removed": four(
        diff(
            "take.sql",
            "-SELECT id FROM holds LIMIT 1 FOR UPDATE SKIP LOCKED;",
            "+SELECT id FROM holds LIMIT 1 FOR UPDATE;",
        ),
        diff(
            "take.py",
            "-    hold = Hold.objects.select_for_update(nowait=True).first()",
            "+    hold = Hold.objects.select_for_update().first()",
        ),
        diff(
            "take.sql",
            "-SELECT id FROM holds FOR UPDATE NOWAIT;",
            "+SELECT id FROM holds FOR UPDATE SKIP LOCKED;",
        ),
        diff(
            "Take.java",
            "-    if (lock.tryLock()) {",
            "+    if (lock.tryLock(2, TimeUnit.SECONDS)) {",
        ),
    ),
    "transaction_widened": four(
        diff("Seats.java", "+  @Transactional", "   public void rebook(Flight flight) {"),
        diff("seats.py", "+    with transaction.atomic():", "+        rebook(flight)"),
        diff(
            "Seats.java", "+  @Transactional(readOnly = true)", "   public Seat find(String id) {"
        ),
        diff("seats.py", "-    with transaction.atomic():", "+    with db.transaction.atomic():"),
    ),
    "transaction_removed": four(
        diff("Seats.java", "-  @Transactional", "   public void rebook(Flight flight) {"),
        diff(
            "seats.rb",
            "-    Seat.transaction do",
            "       from.free!",
            "       to.take!",
            "-    end",
        ),
        diff("Seats.java", "+  @Transactional", "   public void rebook(Flight flight) {"),
        diff(
            "Seats.java",
            "-  @Transactional",
            "+  @Transactional(timeout = 5)",
            "   void rebook() {",
        ),
    ),
    "optimistic_lock_removed": four(
        diff("Seat.java", "-  @Version", "-  private long version;", "   private String id;"),
        diff("hold.py", "-    if redis.setnx(key, owner):", "+    if redis.set(key, owner):"),
        diff("Seat.java", "+  @Version", "+  private long version;", "   private String id;"),
        diff(
            "hold.py", "-    if redis.setnx(key, owner):", "+    if redis.set(key, owner, nx=True):"
        ),
    ),
    "shared_state_added": four(
        diff(
            "Seats.java",
            "+  private static final SimpleDateFormat DAY = new SimpleDateFormat(PATTERN);",
        ),
        diff("seats.go", "+var held = make(map[string]bool)", " func hold(seat string) {"),
        diff("Seats.java", "+  private static final List<String> ROWS = List.of(A, B);"),
        diff("seats.go", "+\tvar held sync.Map", " \tfor _, seat := range seats {"),
    ),
}
