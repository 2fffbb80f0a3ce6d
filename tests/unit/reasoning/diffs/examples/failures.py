"""Examples of failures that are no longer caught, made fatal, or swallowed."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples
from tests.unit.reasoning.diffs.examples.more_failures import MORE

EXAMPLES: Mapping[str, Examples] = {
    "handler_removed": Examples(
        reads=(
            """--- a/src/Parcel.java
+++ b/src/Parcel.java
@@ -20,6 +20,2 @@ Rate rateFor(Parcel parcel) {
-    try {
-        return carrier.rate(parcel);
-    } catch (CarrierException e) {
-        return Rate.flat();
-    }
+    return carrier.rate(parcel);
 }
""",
            """--- a/web/feed.js
+++ b/web/feed.js
@@ -8,2 +8,2 @@ function refresh() {
-  loadFeed().then(show).catch(() => show([]));
+  loadFeed().then(show);
 }
""",
        ),
        ignores=(
            """--- a/web/feed.js
+++ b/web/feed.js
@@ -8,2 +8,2 @@ function refresh() {
-  loadFeed().then(show);
+  loadFeed().then(show).catch(() => show([]));
 }
""",
            """--- a/src/Parcel.java
+++ b/src/Parcel.java
@@ -20,6 +20,2 @@ Rate rateFor(Parcel parcel) {
-    try {
-        return carrier.rate(parcel);
-    } catch (CarrierException e) {
-        throw e;
-    }
+    return carrier.rate(parcel);
 }
""",
            """--- a/feed/load.py
+++ b/feed/load.py
@@ -4,4 +4,3 @@ def load(name):
     try:
-        # except blocks below recover() from a half written file
         return parse(name)
     except ParseError:
         return None
""",
        ),
    ),
    "handler_narrowed": Examples(
        reads=(
            """--- a/feed/load.py
+++ b/feed/load.py
@@ -4,4 +4,4 @@ def load(name):
     try:
         return fetch(name)
-    except Exception:
+    except ConnectionError:
         return None
""",
            """--- a/src/Parcel.java
+++ b/src/Parcel.java
@@ -21,3 +21,3 @@ Rate rateFor(Parcel parcel) {
         return carrier.rate(parcel);
-    } catch (Exception e) {
+    } catch (SocketTimeoutException e) {
         return Rate.flat();
""",
            """--- a/feed/rows.py
+++ b/feed/rows.py
@@ -4,4 +4,4 @@ def row(line):
     try:
         return split(line)
-    except (KeyError, ValueError):
+    except ValueError:
         return None
""",
        ),
        ignores=(
            """--- a/feed/load.py
+++ b/feed/load.py
@@ -4,4 +4,4 @@ def load(name):
     try:
         return fetch(name)
-    except ConnectionError:
+    except Exception:
         return None
""",
            """--- a/feed/rows.py
+++ b/feed/rows.py
@@ -4,4 +4,4 @@ def row(line):
     try:
         return split(line)
-    except (KeyError, ValueError):
+    except (KeyError, ValueError, IndexError):
         return None
""",
            """--- a/src/Parcel.java
+++ b/src/Parcel.java
@@ -21,3 +21,3 @@ Rate rateFor(Parcel parcel) {
-    } catch (Exception e) {
+    } catch (Exception failure) {
         return Rate.flat();
""",
        ),
    ),
    "panic_added": Examples(
        reads=(
            """--- a/internal/rates/load.go
+++ b/internal/rates/load.go
@@ -9,3 +9,6 @@ func (s *Store) Load(key string) Rate {
     rate, err := s.get(key)
+    if err != nil {
+        panic(err)
+    }
     return rate
""",
            """--- a/src/seat.rs
+++ b/src/seat.rs
@@ -3,3 +3,3 @@ fn seat(raw: &str) -> Seat {
-    let row = raw.parse::<u32>().unwrap_or(1);
+    let row = raw.parse::<u32>().unwrap();
     Seat { row }
""",
        ),
        ignores=(
            """--- a/src/seat.rs
+++ b/src/seat.rs
@@ -3,3 +3,3 @@ fn seat(raw: &str) -> Seat {
-    let row = raw.parse::<u32>().unwrap();
+    let row = raw.parse::<u32>().unwrap_or(1);
     Seat { row }
""",
            """--- a/src/seat.rs
+++ b/src/seat.rs
@@ -30,3 +30,7 @@ mod tests {
+    #[test]
+    fn reads_a_row() {
+        assert_eq!(seat("4").row, "4".parse::<u32>().unwrap());
+    }
 }
""",
            """--- a/internal/rates/load.go
+++ b/internal/rates/load.go
@@ -9,2 +9,3 @@ func (s *Store) Load(key string) Rate {
+    // get never lets panic(err) escape
     rate, err := s.get(key)
     return rate
""",
        ),
    ),
    "error_made_fatal": Examples(
        reads=(
            """--- a/internal/beacon/send.go
+++ b/internal/beacon/send.go
@@ -14,4 +14,4 @@ func (b *Beacon) Send(ctx context.Context) {
     if err := b.post(ctx); err != nil {
-        log.Printf("beacon: %v", err)
+        log.Fatalf("beacon: %v", err)
     }
""",
            """--- a/server/audit.js
+++ b/server/audit.js
@@ -5,3 +5,3 @@ sink.on('error', (err) => {
 sink.on('error', (err) => {
-  console.error('audit sink', err);
+  process.exit(1);
 });
""",
        ),
        ignores=(
            """--- a/internal/beacon/send.go
+++ b/internal/beacon/send.go
@@ -14,4 +14,4 @@ func (b *Beacon) Send(ctx context.Context) {
     if err := b.post(ctx); err != nil {
-        log.Fatalf("beacon: %v", err)
+        log.Printf("beacon: %v", err)
     }
""",
            """--- a/cmd/beacon/main.go
+++ b/cmd/beacon/main.go
@@ -8,5 +8,4 @@ func main() {
     if err := run(); err != nil {
-        log.Printf("beacon: %v", err)
-        os.Exit(1)
+        log.Fatalf("beacon: %v", err)
     }
""",
        ),
    ),
    "throw_added": Examples(
        reads=(
            """--- a/src/Coupons.cs
+++ b/src/Coupons.cs
@@ -12,3 +12,3 @@ public Coupon Find(string code)
     if (!known.TryGetValue(code, out var coupon))
-        return null;
+        throw new KeyNotFoundException(code);
     return coupon;
""",
            """--- a/coupons/rules.py
+++ b/coupons/rules.py
@@ -7,4 +7,4 @@ def apply(coupon, cart):
     if coupon.expired:
-        logger.warning("expired coupon %s", coupon.code)
+        raise CouponExpired(coupon.code)
     return cart
""",
        ),
        ignores=(
            """--- a/src/Coupons.cs
+++ b/src/Coupons.cs
@@ -12,3 +12,3 @@ public Coupon Find(string code)
     if (!known.TryGetValue(code, out var coupon))
-        throw new KeyNotFoundException(code);
+        return null;
     return coupon;
""",
            """--- a/internal/coupons/find.go
+++ b/internal/coupons/find.go
@@ -6,3 +6,3 @@ func Find(code string) (*Coupon, error) {
     if err != nil {
-        return nil, err
+        return nil, fmt.Errorf("find coupon: %w", err)
     }
""",
        ),
    ),
    "strict_validation_added": Examples(
        reads=(
            """--- a/internal/hooks/read.go
+++ b/internal/hooks/read.go
@@ -5,3 +5,4 @@ func read(r io.Reader) (Hook, error) {
     dec := json.NewDecoder(r)
+    dec.DisallowUnknownFields()
     return decode(dec)
""",
            """--- a/web/schema.ts
+++ b/web/schema.ts
@@ -3,3 +3,3 @@ export const Hook = z
-export const Hook = z.object({ id: z.string() });
+export const Hook = z.object({ id: z.string() }).strict();
""",
        ),
        ignores=(
            """--- a/web/schema.ts
+++ b/web/schema.ts
@@ -3,3 +3,3 @@ export const Hook = z
-export const Hook = z.object({ id: z.string() }).strict();
+export const Hook = z.object({ id: z.string() });
""",
            """--- a/src/Json.java
+++ b/src/Json.java
@@ -4,2 +4,3 @@ ObjectMapper mapper() {
     return new ObjectMapper()
+        .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false)
         .findAndRegisterModules();
""",
            """--- a/internal/hooks/read.go
+++ b/internal/hooks/read.go
@@ -5,2 +5,3 @@ func read(r io.Reader) (Hook, error) {
+    // no DisallowUnknownFields here: senders add fields at will
     dec := json.NewDecoder(r)
     return decode(dec)
""",
        ),
    ),
    "lenient_parsing_removed": Examples(
        reads=(
            """--- a/src/Hook.java
+++ b/src/Hook.java
@@ -5,3 +5,2 @@ package acme.hooks;
-@JsonIgnoreProperties(ignoreUnknown = true)
 public record Hook(String id) {
 }
""",
            """--- a/hooks/schema.py
+++ b/hooks/schema.py
@@ -3,4 +3,3 @@ class HookSchema(Schema):
     class Meta:
-        unknown = EXCLUDE
         ordered = True
""",
        ),
        ignores=(
            """--- a/src/Hook.java
+++ b/src/Hook.java
@@ -5,2 +5,3 @@ package acme.hooks;
+@JsonIgnoreProperties(ignoreUnknown = true)
 public record Hook(String id) {
 }
""",
            """--- a/hooks/schema.py
+++ b/hooks/schema.py
@@ -3,4 +3,3 @@ class HookSchema(Schema):
     class Meta:
-        # unknown = EXCLUDE keeps old senders alive
         unknown = EXCLUDE
         ordered = True
""",
            """--- a/hooks/model.py
+++ b/hooks/model.py
@@ -3,3 +3,3 @@ class Hook(BaseModel):
-    model_config = ConfigDict(extra="ignore")
+    model_config = ConfigDict(extra="ignore", frozen=True)
     id: str
""",
        ),
    ),
} | dict(MORE)
