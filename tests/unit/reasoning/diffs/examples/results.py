"""Examples of diffs that change results, and of their look-alikes."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples


def _d(path: str, *lines: str) -> str:
    return "\n".join((f"--- a/{path}", f"+++ b/{path}", "@@ -1,3 +1,3 @@", *lines, ""))


def _e(a: str, b: str, c: str, d: str) -> Examples:
    return Examples(reads=(a, b), ignores=(c, d))


EXAMPLES: Mapping[str, Examples] = {
    "protobuf": _e(
        _d("bay.proto", "-  string dock = 3;", "+  int64 dock = 3;"),
        _d("crate.proto", "-  string lid = 2;", "+  string lid = 4;"),
        _d("bay.proto", "+  string note = 9;"),
        _d("bay.proto", "-  // string dock = 3;", "+  // int64 dock = 3;"),
    ),
    "wire_field_renamed": _e(
        _d("a.go", '-\tBay string `json:"bay"`', '+\tBay string `json:"bay_id"`'),
        _d("A.java", '-  @JsonProperty("bay")', '+  @JsonProperty("bayId")'),
        _d("a.go", '+\tLid string `json:"lid"`'),
        _d("a.go", '-\tBay string `json:"bay"`', '+\tBayName string `json:"bay"`'),
    ),
    "key_renamed": _e(
        _d("a.py", '-    crate = body["bay"]', '+    crate = body["bay_id"]'),
        _d("a.js", "-  const c = body['bay'];", "+  const c = body['bayId'];"),
        _d("a.py", '-    log.info("bay")', '+    log.info("dock")'),
        _d("a.js", "-  // body['bay']", "+  // body['bayId']"),
    ),
    "operator": _e(
        _d("a.go", "-\tif held < wanted {", "+\tif held <= wanted {"),
        _d("a.py", "-    if paid and sent:", "+    if paid or sent:"),
        _d("a.py", "-    # held < wanted", "+    # held <= wanted"),
        _d("a.go", "-\tif held < wanted {", "+\tif stock < wanted {"),
    ),
    "unit_of_money": _e(
        _d("a.py", "-    amount = total * 100", "+    amount = total"),
        _d("a.js", "-  charge(order.priceCents);", "+  charge(order.price);"),
        _d("a.py", "-    amount = total", "+    amount = total * 100"),
        _d("a.py", "-    # amount = total * 100", "+    # amount = total"),
    ),
    "rounding_changed": _e(
        _d("a.py", "-    due = round(sum_due, 2)", "+    due = int(sum_due)"),
        _d(
            "A.java",
            "-  x.setScale(2, RoundingMode.HALF_UP);",
            "+  x.setScale(2, RoundingMode.DOWN);",
        ),
        _d("a.py", "-    # round(due)", "+    # int(due)"),
        _d("a.js", "-  // Math.round(due)", "+  // Math.floor(due)"),
    ),
    "date_format_changed": _e(
        _d("a.py", '-    x = day.strftime("%Y-%m-%d")', '+    x = day.strftime("%d-%m-%Y")'),
        _d("a.go", "-\tx := t.Format(time.RFC3339)", "+\tx := t.Format(time.RFC822)"),
        _d("a.py", "-    # day.isoformat()", '+    # day.strftime("%d")'),
        _d("a.go", "-\tlog.Print(t.UTC())", "+\tlog.Print(t.Local())"),
    ),
    "encoding_changed": _e(
        _d("a.py", '-    x = raw.decode("utf-8")', '+    x = raw.decode("latin-1")'),
        _d("a.go", "-\tx := base64.URLEncoding", "+\tx := base64.StdEncoding"),
        _d("a.py", "-    # utf-8", "+    # latin-1"),
        _d("a.go", "-\t// base64.URLEncoding", "+\t// base64.StdEncoding"),
    ),
    "response_shape_changed": _e(
        _d("a.py", "+    alias_generator = to_camel"),
        _d("A.java", "+  @JsonIgnore", "+  @JsonInclude(Include.NON_NULL)"),
        _d("a.py", "-    alias_generator = to_camel"),
        _d("a.py", "+    # alias_generator = to_camel"),
    ),
    "payload_field_removed": _e(
        _d(
            "a.py",
            "     return {",
            '-        "bay": crate.bay,',
            '         "lid": crate.lid,',
            "     }",
        ),
        _d("a.rb", " class CrateSerializer", "-  attribute :bay", " end"),
        _d("a.py", "     return {", '+        "bay": crate.bay,', "     }"),
        _d("a.py", " DEFAULTS = {", '-    "bay": north,', " }"),
    ),
    "enum_member_removed": _e(
        _d("A.java", " enum Bay {", "-  NORTH,", " }"),
        _d("a.go", " \tswitch bay {", '-\tcase "north":', " \t}"),
        _d("A.java", " enum Bay {", "+  NORTH,", " }"),
        _d("A.java", " enum Bay {", "-  // NORTH,", " }"),
    ),
    "signature_of_api_changed": _e(
        _d("a.py", '-URL = host + "/v1/bays"', '+URL = host + "/v2/bays"'),
        _d("a.proto", "-package dock.v1;", "+package dock.v2;"),
        _d("a.py", '-# "/v1/bays"', '+# "/v2/bays"'),
        _d("a.py", '+NEW = host + "/v2/bays"'),
    ),
    "number_scale_changed": _e(
        _d("a.py", "-TAX_RATE = 0.19", "+TAX_RATE = 19"),
        _d("a.yaml", "-discount: 5", "+discount: 50"),
        _d("a.py", "-# TAX_RATE = 0.19", "+# TAX_RATE = 19"),
        _d("a.yaml", "-cpu_threshold: 5", "+cpu_threshold: 50"),
    ),
    "early_exit_added": _e(
        _d("a.go", "+\tif bay.Quiet {", "+\t\treturn nil", "+\t}", " \tload(bay)"),
        _d("a.py", "+        if bay.quiet:", "+            continue", "         load(bay)"),
        _d("a.py", "+    if not crates:", "+        return None", "     load(crates)"),
        _d(
            "a.py",
            "+def quiet(bay):",
            "+    if bay.quiet:",
            "+        return True",
            "+    return False",
        ),
    ),
    "string_compare_changed": _e(
        _d("a.py", "-    if a.lower() == b:", "+    if a == b:"),
        _d("A.java", "-    if (a.equalsIgnoreCase(b)) {", "+    if (a.equals(b)) {"),
        _d("a.py", "-    if a == b:", "+    if a.lower() == b:"),
        _d("a.py", "-    log.info(a.strip())", "     return a == b"),
    ),
}
