"""Examples of caches that changed, and of their look-alikes."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples


def _d(path: str, *lines: str) -> str:
    return "\n".join((f"--- a/{path}", f"+++ b/{path}", "@@ -3,5 +3,5 @@", *lines, ""))


def _e(a: str, b: str, c: str, d: str) -> Examples:
    return Examples(reads=(a, b), ignores=(c, d))


EXAMPLES: Mapping[str, Examples] = {
    "cache_life_cut": _e(
        _d("conf/reef.yaml", " tides:", "-  cacheTtl: 10m", "+  cacheTtl: 5s"),
        _d(
            "Reef.java",
            "-    .expireAfterWrite(Duration.ofMinutes(30))",
            "+    .expireAfterWrite(Duration.ofSeconds(20))",
        ),
        _d("conf/reef.yaml", " tides:", "-  cacheTtl: 10m", "+  cacheTtl: 600s"),
        _d("conf/reef.yaml", " tides:", "-  sessionTtl: 10m", "+  sessionTtl: 5s"),
    ),
    "cache_life_raised": _e(
        _d("reef.py", "-CACHE_TTL_SECONDS = 60", "+CACHE_TTL_SECONDS = 86400"),
        _d("reef.properties", "-reef.tides.cache.ttl=30s", "+reef.tides.cache.ttl=12h"),
        _d("reef.py", "-CACHE_TTL_SECONDS = 86400", "+CACHE_TTL_SECONDS = 60"),
        _d("reef.properties", "-reef.login.token.ttl=30s", "+reef.login.token.ttl=12h"),
    ),
    "cache_size_cut": _e(
        _d("reef.py", "-@lru_cache(maxsize=5000)", "+@lru_cache(maxsize=5)", " def tide(day):"),
        _d("conf/reef.yaml", " tides:", "-  cacheMaxEntries: 20000", "+  cacheMaxEntries: 50"),
        _d("reef.py", "-@lru_cache(maxsize=5)", "+@lru_cache(maxsize=5000)", " def tide(day):"),
        _d("conf/reef.yaml", " tides:", "-  maxMessageSize: 20000", "+  maxMessageSize: 50"),
    ),
    "cache_size_raised": _e(
        _d("Reef.java", "-    .maximumSize(1_000)", "+    .maximumSize(5_000_000)"),
        _d("reef.toml", "-cache_max_entries = 500", "+cache_max_entries = 900000"),
        _d("Reef.java", "-    .maximumSize(5_000_000)", "+    .maximumSize(1_000)"),
        _d("reef.toml", "-request_max_size = 500", "+request_max_size = 900000"),
    ),
    "cache_off": _e(
        _d("conf/reef.yaml", " tides:", "-  cacheEnabled: true", "+  cacheEnabled: false"),
        _d("reef.properties", "+reef.tides.cache_enabled=false", " reef.name=north"),
        _d("conf/reef.yaml", " tides:", "-  cacheEnabled: false", "+  cacheEnabled: true"),
        _d("reef.properties", "-reef.cache.bypass=true", "+reef.cache.bypass=false"),
    ),
    "cache_bypassed": _e(
        _d("conf/reef.yaml", " tides:", "-  bypassCache: false", "+  bypassCache: true"),
        _d("reef.py", "-    tide = load(day)", "+    tide = load(day, skip_cache=True)"),
        _d("conf/reef.yaml", " tides:", "-  bypassCache: true", "+  bypassCache: false"),
        _d("reef.py", "-    tide = load(day)", "+    tide = load(day)  # not skip_cache=True"),
    ),
    "cache_header_off": _e(
        _d(
            "conf/reef.yaml",
            " headers:",
            "-  Cache-Control: max-age=3600",
            "+  Cache-Control: no-store",
        ),
        _d("reef.toml", "-cache_control = 'public, max-age=600'", "+cache_control = 'no-cache'"),
        _d(
            "conf/reef.yaml",
            " headers:",
            "-  Cache-Control: no-store",
            "+  Cache-Control: max-age=3600",
        ),
        _d("reef.toml", "-# cache_control = 'public'", "+# cache_control = 'no-cache'"),
    ),
    "eviction_policy_changed": _e(
        _d("reef.yaml", "-maxmemory-policy: allkeys-lru", "+maxmemory-policy: noeviction"),
        _d(
            "reef.properties", "-reef.cache.eviction-policy=LRU", "+reef.cache.eviction-policy=NONE"
        ),
        _d("reef.yaml", "-maxmemory-policy: 'allkeys-lru'", "+maxmemory-policy: allkeys-lru"),
        _d(
            "reef.properties",
            "-# reef.cache.eviction-policy=LRU",
            "+# reef.cache.eviction-policy=NONE",
        ),
    ),
    "cache_read_removed": _e(
        _d(
            "reef.go",
            "-\tif tide, ok := r.cache.Get(day); ok {",
            "-\t\treturn tide, nil",
            "-\t}",
            " \treturn r.load(ctx, day)",
        ),
        _d("Reef.java", '-  @Cacheable("tides")', "   public Tide tide(Day day) {"),
        _d(
            "reef.go",
            "+\tif tide, ok := r.cache.Get(day); ok {",
            "+\t\treturn tide, nil",
            "+\t}",
            " \treturn r.load(ctx, day)",
        ),
        _d("reef.py", "-    hit = cache.get(day)", "+    hit = self.cache.get(day)"),
    ),
    "cache_write_removed": _e(
        _d(
            "reef.py", "     tide = load(day)", "-    cache.set(day, tide, 600)", "     return tide"
        ),
        _d(
            "reef.js",
            "   const tide = await load(day);",
            "-  await redis.setex(day, 600, tide);",
            "   return tide;",
        ),
        _d(
            "reef.py", "     tide = load(day)", "+    cache.set(day, tide, 600)", "     return tide"
        ),
        _d(
            "reef.js",
            "-  await redis.setex(day, 600, tide);",
            "+  await redis.set(day, tide, 'EX', 600);",
        ),
    ),
    "cache_key_widened": _e(
        _d(
            "reef.py",
            '-    key = f"tide:{day}"',
            '+    key = f"tide:{day}:{request_id}"',
            "     return cache.get(key)",
        ),
        _d(
            "reef.js",
            "-  const cacheKey = `tide:${day}`;",
            "+  const cacheKey = `tide:${day}:${Date.now()}`;",
        ),
        _d(
            "reef.py",
            '-    key = f"tide:{day}:{request_id}"',
            '+    key = f"tide:{day}"',
            "     return cache.get(key)",
        ),
        _d(
            "reef.js",
            "-  const cacheKey = `tide:${day}`;",
            "+  const cacheKey = `tide:${port}:${day}`;",
        ),
    ),
    "cache_key_narrowed": _e(
        _d(
            "reef.py",
            '-    key = f"tide:{tenant_id}:{day}"',
            '+    key = f"tide:{day}"',
            "     return cache.get(key)",
        ),
        _d("Reef.java", '-  String cacheKey = locale + ":" + day;', "+  String cacheKey = day;"),
        _d(
            "reef.py",
            '-    key = f"tide:{day}"',
            '+    key = f"tide:{tenant_id}:{day}"',
            "     return cache.get(key)",
        ),
        _d(
            "Reef.java",
            '-  String cacheKey = locale + ":" + day;',
            '+  String cacheKey = day + ":" + locale;',
        ),
    ),
    "eviction_removed": _e(
        _d("Reef.java", "   Caffeine.newBuilder()", "-    .maximumSize(500)", "     .build();"),
        _d(
            "reef.py",
            "     tides[day] = tide",
            "-    if len(tides) > 500:",
            "-        tides.popitem(last=False)",
        ),
        _d("Reef.java", "   Caffeine.newBuilder()", "+    .maximumSize(500)", "     .build();"),
        _d("Reef.java", "-    .maximumSize(500)", "+    .maximumWeight(500)"),
    ),
    "cache_unbounded_added": _e(
        _d("reef.py", "+@lru_cache(maxsize=None)", " def tide(day):"),
        _d("reef.js", "+const tideCache = new Map();", " function tide(day) {"),
        _d("reef.py", "-@lru_cache(maxsize=None)", "+@lru_cache(maxsize=256)", " def tide(day):"),
        _d(
            "reef.js",
            "+const tideCache = new Map();",
            "+setInterval(() => tideCache.clear(), HOUR);",
        ),
    ),
    "negative_caching_lost": _e(
        _d(
            "reef.py",
            "     if tide is None:",
            "-        cache.set(day, MISSING, 30)",
            "         return None",
        ),
        _d("reef.go", " \tif errors.Is(err, ErrGone) {", "-\t\tr.cache.Set(day, notFound)", " \t}"),
        _d(
            "reef.py",
            "     if tide is None:",
            "+        cache.set(day, MISSING, 30)",
            "         return None",
        ),
        _d("reef.go", "-\t\tr.cache.Set(day, notFound)", "+\t\tr.cache.Set(day, notFound, ttl)"),
    ),
    "errors_cached": _e(
        _d(
            "reef.go",
            " \ttide, err := r.load(ctx, day)",
            "-\tif err == nil {",
            "-\t\tr.cache.Set(day, tide, ttl)",
            "-\t}",
            "+\tr.cache.Put(day, tide, ttl)",
        ),
        _d(
            "reef.py",
            "     tide = load(day)",
            "-    if tide is not None:",
            "-        cache.set(day, tide)",
            "+    cache.set(day, tide, 600)",
        ),
        _d(
            "reef.go",
            " \ttide, err := r.load(ctx, day)",
            "-\tr.cache.Set(day, tide)",
            "+\tif err == nil {",
            "+\t\tr.cache.Set(day, tide, ttl)",
            "+\t}",
        ),
        _d(
            "reef.py",
            "-    if tide is not None:",
            "-        cache.set(day, tide)",
            "+    if tide is not None and tide.fresh:",
            "+        cache.set(day, tide, 600)",
        ),
    ),
    "stampede_protection_removed": _e(
        _d("reef.go", "-\tv, err, _ := r.group.Do(day, load)", "+\tv, err := load()"),
        _d("edge.conf", " location /tides {", "-  proxy_cache_lock on;", "   proxy_cache tides;"),
        _d("reef.go", "-\tv, err := load()", "+\tv, err, _ := r.group.Do(day, load)"),
        _d("edge.conf", " location /tides {", "-  # proxy_cache_lock on;", "   proxy_cache tides;"),
    ),
    "cache_flushed": _e(
        _d("reef.py", " def publish(tide):", "+    cache.clear()", "     store.add(tide)"),
        _d(
            "Reef.java",
            '-  @CacheEvict("tides")',
            '+  @CacheEvict(value = "tides", allEntries = true)',
        ),
        _d("reef.py", " def publish(tide):", "-    cache.clear()", "     store.add(tide)"),
        _d(
            "Reef.java",
            "+  // tideCache.invalidateAll() is for tests",
            "   void publish(Tide tide) {",
        ),
    ),
    "cache_prefix_changed": _e(
        _d("reef.py", '-CACHE_PREFIX = "tides"', '+CACHE_PREFIX = "tides2"'),
        _d("reef.js", "-  const key = `v1:${day}`;", "+  const key = `v2:${day}`;"),
        _d("reef.py", '-# CACHE_PREFIX = "tides"', '+# CACHE_PREFIX = "tides2"'),
        _d("reef.js", "-const tideUrl = '/v1/tides';", "+const tideUrl = '/v2/tides';"),
    ),
}
