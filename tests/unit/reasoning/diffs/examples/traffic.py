"""Examples of queues, brakes and flags that changed, and of their look-alikes."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples, diff, four
from tests.unit.reasoning.diffs.examples.more_traffic import MORE

EXAMPLES: Mapping[str, Examples] = {
    "prefetch_changed_down": four(
        diff("conf/intake.yaml", " queue:", "-  prefetch: 100", "+  prefetch: 1"),
        diff("intake.properties", "-max.poll.records=500", "+max.poll.records=10"),
        diff("conf/intake.yaml", " queue:", "-  prefetch: 1", "+  prefetch: 100"),
        diff("conf/intake.yaml", " queue:", "-  prefetch: 100", "+  prefetch: 90"),
    ),
    "poll_interval_cut": four(
        diff("intake.properties", "-max.poll.interval.ms=300000", "+max.poll.interval.ms=3000"),
        diff(
            "queue.tf", "-  visibility_timeout_seconds = 120", "+  visibility_timeout_seconds = 5"
        ),
        diff("intake.properties", "-max.poll.interval.ms=3000", "+max.poll.interval.ms=300000"),
        diff("queue.tf", "-  visibility_timeout = 2m", "+  visibility_timeout = 120s"),
    ),
    "auto_commit_changed": four(
        diff("intake.properties", "-enable.auto.commit=false", "+enable.auto.commit=true"),
        diff("intake.js", "   channel.consume(queue, handle, {", "+    noAck: true,"),
        diff("intake.properties", "-enable.auto.commit=true", "+enable.auto.commit=false"),
        diff("db.yaml", " pool:", "-  autoConnect: false", "+  autoConnect: true"),
    ),
    "auto_commit_off": four(
        diff("intake.properties", "-enable.auto.commit=true", "+enable.auto.commit=false"),
        diff("intake.py", "   consumer = Consumer(", "+    auto_ack=False,", "   )"),
        diff("intake.properties", "-enable.auto.commit=false", "+enable.auto.commit=true"),
        diff("intake.py", "+    # auto_ack=False is for the batch", "   consumer = Consumer()"),
    ),
    "delivery_acks_changed": four(
        diff("outbox.properties", "-acks=all", "+acks=1"),
        diff("redis.conf", "-appendfsync always", "+appendfsync no"),
        diff("outbox.properties", "-acks=all", " linger.ms=5", "+acks=all"),
        diff("outbox.properties", "-# acks=all", "+# acks=1", " linger.ms=5"),
    ),
    "ack_removed": four(
        diff("intake.go", " \tpost(msg)", "-\tmsg.Ack(false)", " \treturn nil"),
        diff("Intake.java", "     post(record);", "-    consumer.commitSync();"),
        diff("intake.go", "-\tmsg.Ack(false)", " \tpost(msg)", "+\tmsg.Ack(false)"),
        diff("Intake.java", "-    consumer.commitSync();", "+    consumer.commitAsync();"),
    ),
    "dead_letter_removed": four(
        diff("queue.tf", "-  redrive_policy = local.redrive", "   delay_seconds = 0"),
        diff("intake.py", "-    dead_letter.publish(message)", "+    raise"),
        diff("queue.tf", "+  redrive_policy = local.redrive", "   delay_seconds = 0"),
        diff("intake.py", "-    dlq.publish(message)", "+    dead_letter.publish(message)"),
    ),
    "requeued_on_error": four(
        diff("intake.py", "     except Bad:", "+        channel.basic_nack(tag, requeue=True)"),
        diff("intake.go", "-\tmsg.Nack(false, false)", "+\tmsg.Nack(false, true)"),
        diff("intake.py", "     except Bad:", "+        channel.basic_nack(tag, requeue=False)"),
        diff("intake.go", "-\tmsg.Nack(false, true)", "+\tmsg.Nack(false, false)"),
    ),
    "poison_handling_removed": four(
        diff(
            "intake.py",
            " for message in consumer:",
            "     except BadMessage:",
            "-        continue",
            "+        raise",
        ),
        diff(
            "intake.go",
            " \tfor _, record := range batch {",
            " \t\tif err != nil {",
            "-\t\t\tcontinue",
            "+\t\t\treturn err",
        ),
        diff(
            "intake.py",
            " for message in consumer:",
            "     except BadMessage:",
            "-        raise",
            "+        continue",
        ),
        diff(
            "fold.py",
            " for word in words:",
            "     except BadWord:",
            "-        continue",
            "+        raise",
        ),
    ),
    "rate_limit_lowered": four(
        diff("conf/gate.yaml", " gate:", "-  rateLimit: 500", "+  rateLimit: 20"),
        diff(
            "gate.go", "-\tbrake := rate.NewLimiter(100, 200)", "+\tbrake := rate.NewLimiter(5, 10)"
        ),
        diff("conf/gate.yaml", " gate:", "-  rateLimit: 20", "+  rateLimit: 500"),
        diff("conf/gate.yaml", " gate:", "-  errorRate: 500", "+  errorRate: 20"),
    ),
    "rate_limit_raised": four(
        diff("conf/gate.yaml", " gate:", "-  requestsPerSecond: 50", "+  requestsPerSecond: 5000"),
        diff("gate.toml", "-burst = 20", "+burst = 400"),
        diff("conf/gate.yaml", " gate:", "-  requestsPerSecond: 5000", "+  requestsPerSecond: 50"),
        diff("gate.toml", "-burst = 20", "+burst = 25"),
    ),
    "rate_limit_removed": four(
        diff("gate.go", "-\tif !limiter.Allow() {", "-\t\treturn errBusy", "-\t}", " \tserve()"),
        diff("nginx.conf", " location / {", "-  limit_req zone=one burst=20;", "   proxy_pass up;"),
        diff("gate.go", "-\tif !limiter.Allow() {", "+\tif err := limiter.Wait(ctx); err != nil {"),
        diff(
            "nginx.conf",
            " location / {",
            "-  limit_req zone=one;",
            "+  limit_req zone=one nodelay;",
        ),
    ),
    "rate_limit_added": four(
        diff("nginx.conf", " location / {", "+  limit_req zone=one burst=2;"),
        diff("gate.py", "+@limiter.limit('5/minute')", " def quote():"),
        diff("nginx.conf", " location / {", "-  limit_req zone=one burst=2;"),
        diff("gate.py", "-@limiter.limit('5/minute')", "+@limiter.limit('50/minute')"),
    ),
    "breaker_removed": four(
        diff("gate.py", "-@circuit_breaker", " def quote(trip):"),
        diff("mesh.yaml", "-  outlierDetection:", "-    interval: 10s", "   host: fares"),
        diff("gate.py", "+@circuit_breaker", " def quote(trip):"),
        diff(
            "gate.go",
            "-\tq, err := breaker.Execute(quote)",
            "+\tq, err := breaker.ExecuteContext(ctx)",
        ),
    ),
    "breaker_tightened": four(
        diff(
            "mesh.yaml",
            " outlierDetection:",
            "-  consecutive5xxErrors: 10",
            "+  consecutive5xxErrors: 1",
        ),
        diff(
            "gate.properties", "-fares.failure-rate-threshold=50", "+fares.failure-rate-threshold=5"
        ),
        diff(
            "mesh.yaml",
            " outlierDetection:",
            "-  consecutive5xxErrors: 1",
            "+  consecutive5xxErrors: 9",
        ),
        diff("pod.yaml", " livenessProbe:", "-  failureThreshold: 10", "+  failureThreshold: 1"),
    ),
    "breaker_loosened": four(
        diff(
            "gate.properties",
            "-fares.failure-rate-threshold=20",
            "+fares.failure-rate-threshold=95",
        ),
        diff("mesh.yaml", " tcp:", "-  maxPendingRequests: 100", "+  maxPendingRequests: 100000"),
        diff(
            "gate.properties",
            "-fares.failure-rate-threshold=95",
            "+fares.failure-rate-threshold=20",
        ),
        diff("mesh.yaml", " tcp:", "-  maxPendingRequests: 100", "+  maxPendingRequests: 120"),
    ),
    "breaker_switched": four(
        diff("conf/gate.yaml", " fares:", "-  circuitBreaker: true", "+  circuitBreaker: false"),
        diff("gate.toml", "-load_shedding = on", "+load_shedding = off"),
        diff("conf/gate.yaml", " fares:", "-  circuitBreaker: false", "+  circuitBreaker: true"),
        diff("gate.toml", "-# load_shedding = on", "+# load_shedding = off", " port = 80"),
    ),
    **MORE,
}
