"""Examples of many calls where there was one, and of their look-alikes."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples


def _d(path: str, *lines: str) -> str:
    return "\n".join((f"--- a/{path}", f"+++ b/{path}", "@@ -3,5 +3,5 @@", *lines, ""))


def _e(a: str, b: str, c: str, d: str) -> Examples:
    return Examples(reads=(a, b), ignores=(c, d))


EXAMPLES: Mapping[str, Examples] = {
    "call_in_loop": _e(
        _d(
            "crew.py",
            " def crews(ships):",
            "-    return repo.crews_by_ids(ids)",
            "+    found = []",
            "+    for ship in ships:",
            "+        crew = repo.find_crew(ship.id)",
            "+        found.append(crew)",
            "+    return found",
        ),
        _d(
            "crew.go",
            " \tfor _, ship := range ships {",
            "+\t\tcrew, err := s.crewClient.Crew(ctx, ship.ID)",
            " \t\tout[ship.ID] = crew",
            " \t}",
        ),
        _d(
            "crew.py",
            " def crews(ships):",
            "-    for ship in ships:",
            "-        crew = repo.find_crew(ship.id)",
            "+    return repo.crews_by_ids(ids)",
        ),
        _d(
            "crew.go",
            " \tfor _, ship := range ships {",
            '+\t\tlog.Printf("crewClient.Crew(ctx, %s)", ship.ID)',
            " \t\tout[ship.ID] = crew",
            " \t}",
        ),
    ),
    "eager_load_removed": _e(
        _d(
            "crew.py",
            '-    ships = Ship.objects.select_related("crew").all()',
            "+    ships = Ship.objects.all()",
        ),
        _d("Crew.php", "-    $ships = Ship::with('crew')->get();", "+    $ships = Ship::all();"),
        _d(
            "crew.py",
            "-    ships = Ship.objects.all()",
            '+    ships = Ship.objects.select_related("crew").all()',
        ),
        _d("crew.rb", "-    # Ship.includes(:crew)", "+    # Ship.where(port: port)"),
    ),
    "lazy_loading": _e(
        _d(
            "Ship.java",
            "-  @OneToMany(fetch = FetchType.EAGER)",
            "+  @OneToMany(fetch = FetchType.LAZY)",
        ),
        _d(
            "ship.py",
            '-    crew = relationship("Crew", lazy="joined")',
            '+    crew = relationship("Crew", lazy="select")',
        ),
        _d(
            "Ship.java",
            "-  @OneToMany(fetch = FetchType.LAZY)",
            "+  @OneToMany(fetch = FetchType.EAGER)",
        ),
        _d("ship.py", '-    # lazy="joined"', '+    # lazy="select"'),
    ),
    "batch_call_replaced": _e(
        _d(
            "crew.py",
            "-    Crew.objects.bulk_create(crews)",
            "+    for crew in crews:",
            "+        crew.save()",
        ),
        _d("Crew.java", "-    repo.saveAll(crews);", "+    crews.forEach(repo::save);"),
        _d(
            "crew.py",
            "-    for crew in crews:",
            "-        crew.save()",
            "+    Crew.objects.bulk_create(crews)",
        ),
        _d("Crew.java", "-    // repo.saveAll(crews);", "+    // crews.forEach(repo::save);"),
    ),
    "batch_size_cut": _e(
        _d("quay.properties", "-quay.jdbc.batch_size=500", "+quay.jdbc.batch_size=1"),
        _d("crew.py", "-CHUNK_SIZE = 1000", "+CHUNK_SIZE = 10"),
        _d("quay.properties", "-quay.jdbc.batch_size=1", "+quay.jdbc.batch_size=500"),
        _d("crew.py", "-BATCH_TIMEOUT = 1000", "+BATCH_TIMEOUT = 10"),
    ),
    "parallel_made_serial": _e(
        _d(
            "crew.py",
            "-    crew, cargo = await asyncio.gather(crew_of(s), cargo_of(s))",
            "+    crew = await crew_of(s)",
            "+    cargo = await cargo_of(s)",
        ),
        _d(
            "crew.js",
            "-  const [a, b] = await Promise.all([crewOf(s), cargoOf(s)]);",
            "+  const a = await crewOf(s);",
            "+  const b = await cargoOf(s);",
        ),
        _d(
            "crew.py",
            "-    crew = await crew_of(s)",
            "-    cargo = await cargo_of(s)",
            "+    crew, cargo = await asyncio.gather(crew_of(s), cargo_of(s))",
        ),
        _d(
            "crew.js",
            "-  const [a, b] = await Promise.all([crewOf(s), cargoOf(s)]);",
            "+  const [a, b] = await Promise.allSettled([crewOf(s), cargoOf(s)]);",
        ),
    ),
    "unbounded_parallelism": _e(
        _d(
            "crew.go", " \tvar g errgroup.Group", "-\tg.SetLimit(8)", " \tfor _, s := range ships {"
        ),
        _d(
            "crew.py",
            "-    async with semaphore:",
            "-        return await crew_of(ship)",
            "+    return await crew_of(ship)",
        ),
        _d(
            "crew.go", " \tvar g errgroup.Group", "+\tg.SetLimit(8)", " \tfor _, s := range ships {"
        ),
        _d("crew.py", "-    # semaphore comes later", "     return await crew_of(ship)"),
    ),
    "spawned_per_item": _e(
        _d(
            "crew.js",
            "-  for (const ship of ships) await dock(ship);",
            "+  await Promise.all(ships.map(dock));",
        ),
        _d(
            "Crew.java",
            "-  var lifts = Executors.newFixedThreadPool(8);",
            "+  var lifts = Executors.newCachedThreadPool();",
        ),
        _d(
            "crew.js",
            "-  await Promise.all(ships.map(dock));",
            "+  for (const ship of ships) await dock(ship);",
        ),
        _d("Crew.java", "-  // newFixedThreadPool", "+  // newCachedThreadPool"),
    ),
}
