"""Examples of retries that changed, and of their look-alikes."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples, diff, four

EXAMPLES: Mapping[str, Examples] = {
    "retries_raised": four(
        diff("conf/fare.yaml", " quote:", "-  max_retries: 2", "+  max_retries: 10"),
        diff("fare.py", "     url,", "-    num_retries=3,", "+    num_retries=12,"),
        diff("conf/fare.yaml", " quote:", "-  max_retries: 10", "+  max_retries: 2"),
        diff("conf/fare.yaml", " quote:", "-  retry_timeout: 2", "+  retry_timeout: 10"),
    ),
    "retries_off": four(
        diff("conf/fare.yaml", " quote:", "-  max_retries: 3", "+  max_retries: 0"),
        diff("fare.properties", "-fare.quote.max-attempts=4", "+fare.quote.max-attempts=1"),
        diff("conf/fare.yaml", " quote:", "-  max_retries: 0", "+  max_retries: 3"),
        diff("fare.properties", "-fare.quote.max-attempts=5", "+fare.quote.max-attempts=4"),
    ),
    "backoff_cut": four(
        diff("conf/fare.yaml", " quote:", "-  backoff: 2s", "+  backoff: 10ms"),
        diff("fare.properties", "-fare.retry-delay-ms=1000", "+fare.retry-delay-ms=20"),
        diff("conf/fare.yaml", " quote:", "-  backoff: 10ms", "+  backoff: 2s"),
        diff("conf/fare.yaml", " quote:", "-  backoff: 2s", "+  backoff: 2000ms"),
    ),
    "backoff_lengthened": four(
        diff("conf/fare.yaml", " quote:", "-  backoff: 200ms", "+  backoff: 60s"),
        diff("fare.toml", "-retry_interval_seconds = 2", "+retry_interval_seconds = 120"),
        diff("conf/fare.yaml", " quote:", "-  backoff: 60s", "+  backoff: 200ms"),
        diff("fare.toml", "-retry_interval_seconds = 2", "+retry_interval_seconds = 4"),
    ),
    "backoff_removed": four(
        diff(
            "fare.go",
            " \tfor attempt := 0; attempt < 5; attempt++ {",
            " \t\tif quote() == nil {",
            "-\t\ttime.Sleep(backoff(attempt))",
            " \t}",
        ),
        diff(
            "fare.py",
            " for attempt in range(5):",
            "     quote()",
            "-    time.sleep(2 ** attempt)",
        ),
        diff(
            "fare.go",
            " \tfor attempt := 0; attempt < 5; attempt++ {",
            "-\t\ttime.Sleep(backoff(attempt))",
            "+\t\tselect {",
            "+\t\tcase <-time.After(backoff(attempt)):",
        ),
        diff(
            "fare.py",
            " for attempt in range(5):",
            "     quote()",
            "-    logger.info('no exponential pause yet')",
        ),
    ),
    "jitter_removed": four(
        diff(
            "fare.js",
            "-  await sleep(base * Math.random() * delay);",
            "+  await sleep(base * delay);",
        ),
        diff(
            "fare.py",
            "-    wait=wait_exponential() + wait_random_jitter(0, 2),",
            "+    wait=every(2),",
        ),
        diff(
            "fare.js",
            "-  await sleep(base * delay);",
            "+  await sleep(base * Math.random() * delay);",
        ),
        diff("fare.py", "-    jitter=full_jitter,", "+    jitter=equal_jitter,"),
    ),
    "retry_unbounded": four(
        diff(
            "fare.go",
            "-\tfor attempt := 0; attempt < 3; attempt++ {",
            "+\tfor {",
            " \t\terr = quote(ctx)",
        ),
        diff(
            "fare.py",
            "-for attempt in range(3):",
            "+while True:",
            "     try:",
            "         return quote()",
        ),
        diff(
            "fare.py",
            "-while True:",
            "+for attempt in range(3):",
            "     try:",
            "         return quote()",
        ),
        diff(
            "fare.go",
            "-\tfor attempt := 0; attempt < 3; attempt++ {",
            "+\tfor {",
            "+\t\tif attempts >= limit {",
            "+\t\t\treturn err",
        ),
    ),
    "retry_loop_added": four(
        diff("fare.py", "-    return quote()", "+    for attempt in range(4):", "+        quote()"),
        diff("Fare.java", "+  @Retryable(maxAttempts = 5)", "   Quote quote(Trip trip) {"),
        diff("fare.py", "-    for attempt in range(4):", "-        quote()", "+    return quote()"),
        diff(
            "Fare.java",
            "+  @Retryable(maxAttempts = 3, backoff = @Backoff(delay = 500, random = true))",
            "   Quote quote(Trip trip) {",
        ),
    ),
    "retry_loop_with_pause_added": four(
        diff(
            "fare.py",
            "-    return quote()",
            "+    for attempt in range(4):",
            "+        quote()",
            "+        time.sleep(2 ** attempt)",
        ),
        diff("fare.ts", "-  return quote(trip);", "+  return pRetry(() => quote(trip), options);"),
        diff("fare.ts", "-  return pRetry(() => quote(trip), options);", "+  return quote(trip);"),
        diff("fare.py", '+    log.info("no retries for a quote")', "     return quote()"),
    ),
    "write_retried": four(
        diff(
            "nginx.conf",
            "+proxy_next_upstream error timeout non_idempotent;",
            " proxy_pass http://f;",
        ),
        diff(
            "fare.go",
            "-\terr := charge(trip)",
            "+\terr := retryDo(func() error { return charge(trip) })",
        ),
        diff(
            "nginx.conf",
            "-proxy_next_upstream error timeout non_idempotent;",
            " proxy_pass http://f;",
        ),
        diff(
            "fare.go", "-\tq := quote(trip)", "+\tq := retryDo(func() error { return quote(trip) })"
        ),
    ),
    "retried_on_more_errors": four(
        diff(
            "fare.go",
            " \tfor attempt := range attempts {",
            "-\t\tif !isRetryable(err) {",
            "-\t\t\treturn err",
            "-\t\t}",
        ),
        diff(
            "fare.py",
            " @retry(",
            "-    retry=retry_if_exception_type(TimeoutError),",
            "     stop=stop_after_attempt(4),",
        ),
        diff("fare.go", " \tfor attempt := range attempts {", "+\t\tif !isRetryable(err) {"),
        diff(
            "fare.go",
            " \tfor attempt := range attempts {",
            "-\t\tif !isRetryable(err) {",
            "+\t\tif !shouldRetry(err) {",
        ),
    ),
    "retry_limit_removed": four(
        diff(
            "fare.rb",
            "   rescue Timeout",
            "-    raise if attempts >= 5",
            "     attempts += 1",
            "     retry",
        ),
        diff("fare.py", " @retry(", "-    stop=stop_after_attempt(4),", "     wait=wait_fixed(1),"),
        diff("fare.py", " @retry(", "+    stop=stop_after_attempt(4),", "     wait=wait_fixed(1),"),
        diff(
            "fare.rb",
            "   rescue Timeout",
            "-    raise if attempts >= 5",
            "+    raise if attempts > MOST",
            "     retry",
        ),
    ),
    "retries_removed": four(
        diff("Fare.java", "-  @Retryable(maxAttempts = 3)", "   Quote quote(Trip trip) {"),
        diff("fare.py", "-    for attempt in range(4):", "-        quote()", "+    return quote()"),
        diff("Fare.java", "+  @Retryable(maxAttempts = 3)", "   Quote quote(Trip trip) {"),
        diff("Fare.java", "-  @Retryable(maxAttempts = 3)", '+  @Retry(name = "quote")'),
    ),
}
