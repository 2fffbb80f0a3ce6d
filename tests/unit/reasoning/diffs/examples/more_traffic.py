"""More examples of traffic: flags, shares, balancing, routes, middleware."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples, diff, four

MORE: Mapping[str, Examples] = {
    "flag_turned_on": four(
        diff("flags.yaml", " flags:", "-  new_fares: false", "+  new_fares: true"),
        diff("flags.json", '-  "feature_bundles": false,', '+  "feature_bundles": true,'),
        diff("flags.yaml", " flags:", "-  new_fares: true", "+  new_fares: false"),
        diff("conf/gate.yaml", " log:", "-  debug: false", "+  debug: true"),
    ),
    "flag_turned_off": four(
        diff("flags.yaml", " flags:", "-  bundles: true", "+  bundles: false"),
        diff("gate.properties", "-gate.fares.enabled=true", "+gate.fares.enabled=false"),
        diff("flags.yaml", " flags:", "-  bundles: false", "+  bundles: true"),
        diff("flags.yaml", " flags:", "-  # bundles: true", "+  # bundles: false"),
    ),
    "variant_changed": four(
        diff("flags.json", '-  "defaultVariant": "old",', '+  "defaultVariant": "new",'),
        diff("conf/gate.yaml", " fares:", "-  engine: table", "+  engine: model"),
        diff("flags.json", '-  "defaultVariant": "old",', "+  'defaultVariant': 'old',"),
        diff("deploy/gate.yaml", " ports:", "-  imageProvider: a", "+  imageProvider: b"),
    ),
    "rollout_raised": four(
        diff("flags.yaml", " new_fares:", "-  percentage: 5", "+  percentage: 100"),
        diff("rollout.yaml", " steps:", "-  - setWeight: 10", "+  - setWeight: 80"),
        diff("flags.yaml", " new_fares:", "-  percentage: 100", "+  percentage: 5"),
        diff("conf/gate.yaml", " alert:", "-  errorPercent: 5", "+  errorPercent: 50"),
    ),
    "share_lowered": four(
        diff("route.yaml", " - host: fares-old", "-  weight: 90", "+  weight: 10"),
        diff("route.tf", "-  traffic_percent = 100", "+  traffic_percent = 20"),
        diff("route.yaml", " - host: fares-old", "-  weight: 10", "+  weight: 90"),
        diff("route.yaml", " - host: fares-old", "-  weight: 100", "+  weight: 95"),
    ),
    "flag_check_removed": four(
        diff(
            "fares.py",
            '-    if flags.enabled("new_fares"):',
            "-        return new(trip)",
            "+    return new(trip)",
        ),
        diff("fares.js", "-  if (isEnabled('new-fares')) {", "     return fresh(trip);", "-  }"),
        diff("fares.py", '+    if flags.enabled("new_fares"):', "+        return new(trip)"),
        diff("fares.py", "-    if flags.enabled(OLD):", "+    if flags.enabled(NEW):"),
    ),
    "balancing_changed": four(
        diff("mesh.yaml", " spec:", "-  lbPolicy: LEAST_REQUEST", "+  lbPolicy: RANDOM"),
        diff("svc.yaml", " spec:", "-  sessionAffinity: None", "+  sessionAffinity: ClientIP"),
        diff("pod.yaml", " affinity:", "-  nodeAffinity: soft", "+  nodeAffinity: hard"),
        diff("svc.yaml", " spec:", '-  sessionAffinity: "None"', "+  sessionAffinity: None"),
    ),
    "balancing_code_changed": four(
        diff("nginx.conf", " upstream fares {", "-  least_conn;", "+  ip_hash;", "   server f1;"),
        diff("call.go", '-\tconn := dial("dns:///fares:80")', '+\tconn := dial("fares:80")'),
        diff("nginx.conf", " upstream fares {", "-  ip_hash;", "+  least_conn;", "   server f1;"),
        diff("nginx.conf", " upstream fares {", "-  # least_conn;", "   server f1;"),
    ),
    "partition_key_changed": four(
        diff(
            "outbox.py", "-    send(partition_key=trip.id)", "+    send(partition_key=trip.country)"
        ),
        diff("trips.sql", "-  PARTITION BY HASH (id)", "+  PARTITION BY LIST (country)"),
        diff("outbox.py", "-    send(partition_key=trip.id)", "+    send(partition_key = trip.id)"),
        diff("outbox.py", "-    # partition_key=trip.id", "+    # partition_key=trip.country"),
    ),
    "middleware_removed": four(
        diff("app.js", "-app.use(identify());", " app.get('/fares', fares);"),
        diff("fares.rb", "-  before_action :identify", "   def show"),
        diff("app.js", "-app.use(identify());", "+app.use(identify({ strict: false }));"),
        diff("fares.rb", "+  before_action :identify", "   def show"),
    ),
    "readiness_of_traffic": four(
        diff("route.yaml", " http:", "+  mirror:", "+    host: fares-next"),
        diff("outbox.py", "     store.put(trip)", "+    dual_write(trip, next_store)"),
        diff("route.yaml", " http:", "-  mirror:", "-    host: fares-next"),
        diff("app.tsx", "-  boxShadow: none,", "+  boxShadow: soft,"),
    ),
    "route_changed": four(
        diff("app.js", "-app.get('/fares', fares);", "+app.get('/prices', fares);"),
        diff("Fares.java", '-  @GetMapping("/fares")', '+  @PostMapping("/fares")'),
        diff("app.js", "-app.get('/fares', fares);", '+app.get("/fares", listFares);'),
        diff("app.js", " app.get('/fares', fares);", "+app.get('/prices', prices);"),
    ),
    "redirect_or_refetch": four(
        diff("Fares.tsx", "-  }, [trip]);", "+  });"),
        diff("search.js", "-  box.on(debounce(search, 300));", "+  box.onInput = search;"),
        diff("Fares.tsx", "-  });", "+  }, [trip]);"),
        diff("search.js", "-  box.onInput = search;", "+  box.onInput = debounce(search, 300);"),
    ),
}
