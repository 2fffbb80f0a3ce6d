"""Examples of absent values that are no longer allowed for, and of their look-alikes."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples, diff, four

EXAMPLES: Mapping[str, Examples] = {
    "guard_removed": four(
        diff(
            "berth.go",
            " \tship := fleet[id]",
            "-\tif ship == nil {",
            "-\t\treturn errAbsent",
            "-\t}",
            " \treturn ship.Dock()",
        ),
        diff(
            "berth.py",
            "     ship = fleet.find(id)",
            "-    if ship is None:",
            "-        return None",
            "     return ship.dock()",
        ),
        diff(
            "berth.go",
            " \tship := fleet[id]",
            "+\tif ship == nil {",
            "+\t\treturn errAbsent",
            "+\t}",
            " \treturn ship.Dock()",
        ),
        diff(
            "Berth.java",
            "-    if (ship == null) {",
            "-      throw new IllegalArgumentException();",
            "-    }",
            "+    Objects.requireNonNull(ship);",
        ),
    ),
    "error_check_removed": four(
        diff(
            "berth.go",
            " \tship, err := load(id)",
            "-\tif err != nil {",
            "-\t\treturn err",
            "-\t}",
            " \tship.Dock()",
        ),
        diff(
            "berth.js",
            " load(id, (err, ship) => {",
            "-  if (err) {",
            "-    return done(err);",
            "-  }",
            "   done(null, ship.dock());",
        ),
        diff(
            "berth.go",
            "-\tif err := ship.Dock(); err != nil {",
            "-\t\treturn err",
            "-\t}",
            "-\treturn nil",
            "+\treturn ship.Dock()",
        ),
        diff(
            "berth.go", "-\tif err != nil {", "+\tif errors.Is(err, errAbsent) {", " \t\treturn err"
        ),
    ),
    "error_discarded": four(
        diff("berth.go", "-\tship, err := load(id)", "+\tship, _ := load(id)", " \tship.Dock()"),
        diff("berth.go", "-\terr := ship.Dock()", "+\t_ = ship.Dock()", " \tnotify(ship)"),
        diff("berth.go", "-\tship, _ := load(id)", "+\tship, err := load(id)", "+\tcheck(err)"),
        diff("berth.go", "-\tship, ok := fleet[id]", "+\tship, _ := fleet[id]"),
    ),
    "safe_access_removed": four(
        diff("berth.py", '-    dock = ship.get("dock", HOME)', '+    dock = ship["dock"]'),
        diff(
            "Berth.java",
            "-    Dock dock = fleet.getOrDefault(id, home);",
            "+    Dock dock = fleet.get(id).dock();",
        ),
        diff("berth.py", '-    dock = ship["dock"]', '+    dock = ship.get("dock", HOME)'),
        diff("berth.py", '-    dock = ship.get("dock", HOME)', '+    dock = ship.get("dock", SEA)'),
    ),
    "optional_chain_removed": four(
        diff("berth.ts", "-  return ship?.dock?.name;", "+  return ship.dock.name;"),
        diff("berth.rb", "-    ship&.dock", "+    ship.dock"),
        diff("berth.ts", "-  return ship.dock.name;", "+  return ship?.dock?.name;"),
        diff(
            "berth.ts",
            "-  return ship?.dock;",
            "+  if (!ship) { return HOME; }",
            "+  return ship.dock;",
        ),
    ),
    "optional_unwrapped": four(
        diff("Berth.java", "+    return fleet.find(id).get().dock();"),
        diff("berth.rs", "+    let dock = fleet.find(id).unwrap();"),
        diff("Berth.java", "-    return fleet.find(id).get().dock();"),
        diff("Berth.java", "+    if (found.isPresent()) {", "+      return found.get().dock();"),
    ),
    "assertion_unchecked": four(
        diff("berth.go", "-\tship, ok := got.(*Ship)", "-\tif !ok {", "+\tship := got.(*Ship)"),
        diff("berth.go", "+\tdock := fields[key].(string)"),
        diff("berth.go", "-\tship := got.(*Ship)", "+\tship, ok := got.(*Ship)", "+\tif !ok {"),
        diff("berth.go", "+\tswitch ship := got.(type) {", "+\tcase *Ship:"),
    ),
    "first_element_taken": four(
        diff("berth.py", "-    for ship in ships:", "-        return ship", "+    return ships[0]"),
        diff(
            "Berth.java",
            "-    return ships.stream().findFirst().orElse(null);",
            "+    return ships.get(0);",
        ),
        diff("berth.py", "-    return ships[0]", "+    for ship in ships:", "+        return ship"),
        diff(
            "berth.go",
            "-\tfor _, ship := range ships {",
            "+\tif len(ships) > 0 {",
            "+\t\treturn ships[0]",
        ),
    ),
    "slice_bound_unchecked": four(
        diff("berth.go", "-\tend := min(start+size, count)", "+\tend := start + size"),
        diff(
            "berth.py",
            "-    if at < len(ships):",
            "-        return ships[at]",
            "+    return ships[at]",
        ),
        diff("berth.go", "-\tend := start + size", "+\tend := min(start+size, count)"),
        diff("berth.js", "-  const end = Math.min(at, n);", "+  const end = clamp(at, 0, n);"),
    ),
    "returns_nothing": four(
        diff("berth.py", "-        raise Absent(id)", "+        return None"),
        diff("berth.go", "-\t\treturn nil, errAbsent", "+\t\treturn nil, nil"),
        diff("berth.py", "-        return None", "+        raise Absent(id)"),
        diff("berth.go", "-\treturn nil", "+\treturn nil, nil"),
    ),
    "map_not_made": four(
        diff("berth.go", "-\theld := make(map[string]Ship)", "+\tvar held map[string]Ship"),
        diff(
            "Berth.java",
            "-  private Map<String, Ship> held = new HashMap<>();",
            "+  private Map<String, Ship> held;",
        ),
        diff("berth.go", "-\tvar held map[string]Ship", "+\theld := make(map[string]Ship)"),
        diff("berth.go", "-\theld := map[string]Ship{}", "+\theld := make(map[string]Ship, 64)"),
    ),
    "default_removed": four(
        diff("berth.py", '-DOCK = os.getenv("DOCK", "north")', '+DOCK = os.getenv("DOCK")'),
        diff(
            "berth.js",
            "-const dock = process.env.DOCK || 'north';",
            "+const dock = process.env.DOCK;",
        ),
        diff("berth.py", '-DOCK = os.getenv("DOCK")', '+DOCK = os.getenv("DOCK", "north")'),
        diff("berth.yaml", "-dock: ${DOCK:north}", "+dock: ${DOCK:south}"),
    ),
    "new_required_variable": four(
        diff("berth.py", '+DOCK = os.environ["DOCK"]', " FLEET = load()"),
        diff("berth.rb", "+DOCK = ENV.fetch('DOCK')", " FLEET = load"),
        diff("berth.py", '-DOCK = os.environ["DOCK"]', '+DOCK = os.environ.get("DOCK", "north")'),
        diff("berth.rb", "+DOCK = ENV.fetch('DOCK', 'north')", " FLEET = load"),
    ),
}
