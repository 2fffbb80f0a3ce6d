"""Examples of more work for each request, and of their look-alikes."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples, diff, four
from tests.unit.reasoning.diffs.examples.more_work import MORE

EXAMPLES: Mapping[str, Examples] = {
    "work_in_loop": four(
        diff(
            "menu.py",
            "-    known = {d.id: d for d in dishes}",
            "     for order in orders:",
            "-        plates.append(known[order.dish])",
            "+        plates.append(next(d for d in dishes if dishes.index(d) == order.dish))",
        ),
        diff(
            "menu.go",
            " \tfor _, order := range orders {",
            "+\t\tfor _, dish := range dishes {",
            "+\t\t\tmatch(order, dish)",
            "+\t\t}",
        ),
        diff(
            "menu.go",
            " \tfor _, order := range orders {",
            "-\t\tfor _, dish := range dishes {",
            "-\t\t\tmatch(order, dish)",
            "-\t\t}",
            "+\t\tmatch(order, known[order.Dish])",
        ),
        diff(
            "menu.py",
            "     for order in orders:",
            "         serve(order)",
            "+    for dish in dishes:",
            "+        clear(dish)",
        ),
    ),
    "call_added": four(
        diff("menu.go", " \tdish := load(id)", "+\tprice, err := s.priceClient.Quote(ctx, dish)"),
        diff(
            "Menu.java",
            "   Dish dish = load(id);",
            "+  var p = restTemplate.getForObject(url, P.class);",
        ),
        diff("menu.go", " \tdish := load(id)", "-\tprice, err := s.priceClient.Quote(ctx, dish)"),
        diff(
            "menu.go",
            "-\tp := s.priceClient.Quote(ctx, a)",
            "+\tp := s.priceClient.Quote(ctx, a, b)",
        ),
    ),
    "recursion": four(
        diff(
            "menu.py",
            " def expand(dish, depth):",
            "-    if depth > 8:",
            "-        return []",
            "     return [expand(d, depth + 1) for d in dish.parts]",
        ),
        diff(
            "menu.js",
            " function expand(dish) {",
            "-  return dish.parts;",
            "+  return dish.parts.flatMap((d) => expand(d));",
            " }",
        ),
        diff(
            "menu.py",
            " def expand(dish, depth):",
            "+    if depth > 8:",
            "+        return []",
            "     return [expand(d, depth + 1) for d in dish.parts]",
        ),
        diff(
            "menu.py",
            " def expand(dish):",
            "     return dish.parts",
            "+def menu(dishes):",
            "+    return [expand(d) for d in dishes]",
        ),
    ),
    "set_made_list": four(
        diff("menu.py", "-    seen = set()", "+    seen = []"),
        diff(
            "Menu.java",
            "-    var seen = new HashSet<Dish>();",
            "+    var seen = new ArrayList<Dish>();",
        ),
        diff("menu.py", "-    seen = []", "+    seen = set()"),
        diff(
            "Menu.java",
            "-    var seen = new HashSet<Dish>();",
            "+    var seen = new TreeSet<Dish>();",
        ),
    ),
    "sleep_added": four(
        diff("menu.py", " def serve(order):", "+    time.sleep(0.5)"),
        diff("menu.go", " \tplate(order)", "+\ttime.Sleep(200 * time.Millisecond)"),
        diff("menu.py", " def serve(order):", "-    time.sleep(0.5)"),
        diff("menu.go", " \tfor attempt := range 3 {", "+\t\ttime.Sleep(200 * time.Millisecond)"),
    ),
    "sleep_lengthened": four(
        diff("menu.py", "-    time.sleep(0.1)", "+    time.sleep(2)"),
        diff("Menu.java", "-    Thread.sleep(100);", "+    Thread.sleep(3000);"),
        diff("menu.py", "-    time.sleep(2)", "+    time.sleep(0.1)"),
        diff("conf/menu.yaml", " retry:", "-  delay_ms: 100", "+  delay_ms: 900"),
    ),
    "pause_removed": four(
        diff("menu.py", " while True:", "     poll(kitchen)", "-    time.sleep(1)"),
        diff("menu.go", " \tfor {", " \t\tpoll(kitchen)", "-\t\t<-ticker.C", " \t}"),
        diff("menu.py", " while True:", "     poll(kitchen)", "+    time.sleep(1)"),
        diff("menu.py", " while True:", "     poll()", "-    time.sleep(1)", "+    done.wait(1)"),
    ),
    "interval_cut": four(
        diff("conf/menu.yaml", " menu:", "-  pollInterval: 30s", "+  pollInterval: 100ms"),
        diff(
            "menu.go",
            "-\tt := time.NewTicker(30 * time.Second)",
            "+\tt := time.NewTicker(50 * time.Millisecond)",
        ),
        diff("conf/menu.yaml", " menu:", "-  pollInterval: 100ms", "+  pollInterval: 30s"),
        diff("conf/menu.yaml", " menu:", "-  pollInterval: 1m", "+  pollInterval: 60s"),
    ),
    "interval_lengthened": four(
        diff("conf/menu.yaml", " menu:", "-  refreshInterval: 10s", "+  refreshInterval: 1h"),
        diff("menu.properties", "-menu.sync-period-seconds=5", "+menu.sync-period-seconds=900"),
        diff("conf/menu.yaml", " menu:", "-  refreshInterval: 1h", "+  refreshInterval: 10s"),
        diff("conf/menu.yaml", " menu:", "-  refreshInterval: 10s", "+  refreshInterval: 12s"),
    ),
    "schedule_changed": four(
        diff("job.yaml", " spec:", '-  schedule: "0 3 * * *"', '+  schedule: "* * * * *"'),
        diff("menu.properties", "-menu.cron=0_3", "+menu.cron=0_12"),
        diff("job.yaml", " spec:", '-  schedule: "0 3 * * *"', "+  schedule: '0 3 * * *'"),
        diff("job.yaml", " spec:", '-  # schedule: "0 3 * * *"', '+  # schedule: "0 4 * * *"'),
    ),
    "loop_end_removed": four(
        diff("menu.py", " while page:", "     serve(page)", "-    page = page.next_page()"),
        diff("menu.go", " \tfor i < count {", " \t\tserve(dishes[i])", "-\t\ti++", " \t}"),
        diff("menu.py", " while page:", "     serve(page)", "+    page = page.next_page()"),
        diff("menu.go", " \tfor i < count {", "-\t\ti++", "+\t\ti += step", " \t}"),
    ),
    "loop_without_condition": four(
        diff("menu.py", "-while kitchen.has_next():", "+while True:", "     serve()"),
        diff("menu.go", "-\tfor i := 0; i < count; i++ {", "+\tfor {", " \t\tserve()"),
        diff("menu.py", "-while True:", "+while kitchen.has_next():", "     serve()"),
        diff("menu.go", "+func pump() {", "+\tfor {", "+\t\tserve(<-orders)"),
    ),
    "regex_catastrophic": four(
        diff("menu.py", '+NAME = re.compile(r"^(\\w+\\s?)+$")'),
        diff("menu.js", "+const name = /^(a+)+$/;"),
        diff(
            "menu.py", '-NAME = re.compile(r"^(\\w+\\s?)+$")', '+NAME = re.compile(r"^[\\w\\s]+$")'
        ),
        diff("menu.js", "+const total = (a + b) * (c + d);"),
    ),
    "regex_compiled_per_call": four(
        diff(
            "menu.go",
            "-\treturn nameRe.MatchString(name)",
            '+\treturn regexp.MustCompile("^d").MatchString(name)',
        ),
        diff(
            "Menu.java",
            "-    return mapper.readTree(body);",
            "+    return new ObjectMapper().readTree(body);",
        ),
        diff(
            "menu.go",
            '-\treturn regexp.MustCompile("^d").MatchString(name)',
            "+\treturn nameRe.MatchString(name)",
        ),
        diff(
            "Menu.java",
            "-  private ObjectMapper mapper = make();",
            "+  private static final ObjectMapper mapper = new ObjectMapper();",
        ),
    ),
    **MORE,
}
