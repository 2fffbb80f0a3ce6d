"""Absent values: guards that went, lookups and results used unchecked."""

from bot.reasoning.diffs.reading import Effect
from bot.reasoning.diffs.rule import PLAUSIBLE, Pattern

_CRASH = (Effect.CRASH, Effect.ERRORS)
_GUARD = (
    r"(?i)\b(?:if|unless|guard|elif|when|assert|and|or|&&|\|\||return|case)\b.*(?:(?:!==?|===?|\bis(?: not)?|<>)\s*(?:nil|null|none|undefined)\b|(?:nil|null|none|undefined)\s*[!=]==?|\.nil\?|\.blank\?|\.present\?|isnull|isempty|ispresent|typeof|isnullorempty|isnullorwhitespace|hasvalue|objects\.(?:isnull|nonnull))"
    r"|^if (?:not )?!?\(?[\w.]+\)?\s*(?:\{|:|$)|^return .* if .*(?:nil|none|null|not )|^if \w+, ok :?=|^if !ok|, ok :?=|&& \w[\w.]*\.\w+|^if len\(\w|^if \(?!?\w+\.(?:length|Count|size\(\)|isEmpty\(\))"
    r"|^if \(!\w[\w.]*\)|^unless \w"
)
_SAFE = r"\?\.|\?\?|&\.|\.get\(\s*[\"'\w]+\s*,|\.orelse|\.or_else|\.getordefault|optional|\.dig\(|unwrap_or|\|\||if let|\.fetch\(.*,|\.ifpresent|requirenonnull|maybe|coalesce|getattr\(.*,.*,| or [\"'\d\[{]| if .* else "

RULES = tuple(
    rule.rule()
    for rule in (
        Pattern(
            name="guard_removed",
            mechanism="nil_dereference",
            effects=_CRASH,
            words="if unless nil null none undefined ok len length isempty blank present isnullorempty ispresent nonnull isnull guard is",
            went=_GUARD,
            unless=_GUARD
            + r"|(?:assert|require|ensure|validate|check)\w*\(|notnull|nonnull|\?\.|&\.|\?\?|orelse|switch|\bcase\b|\bwhen\b|\.get\(.*, |optional|except|rescue|\bif\b",
            unless_went=r"(?i)feature|flag|enabled|debug|log\.|\bif err(?:or)? [!=]|\berr != nil\b|if .*cache|toggle|experiment",
            says="{line}, a guard against an absent value, is gone",
            weight=2.6,
        ),
        Pattern(
            name="error_check_removed",
            mechanism="ignored_error",
            effects=(*_CRASH, Effect.WRONG_RESULT),
            words="err error",
            went=r"\berr(?:or)?\d? != nil\b|if err\b|if \(err\)|if \(error\)",
            unless=r"^return [\w.]+\(.*\)$|err != nil|if err\b|return .*\berr\b|errors\.|\bmust\w*\(|Must|require\.|\berr\d? :?=|if \(err",
            languages="go js c rust",
            unless_went=r"",
            says="{line} is gone: the result is used whether or not the call failed",
            weight=2.6,
        ),
        Pattern(
            name="error_discarded",
            mechanism="ignored_error",
            effects=(*_CRASH, Effect.WRONG_RESULT),
            words="_ err",
            came=r"\w+, _ :?= \w[\w.]*\(|^_ = \w[\w.]*\(|^_, _ = ",
            went=r"\w+, err :?= |err :?= |if err",
            unless=r"\berr\b|range ",
            languages="go",
            says="{line} throws the error away",
            weight=2.6,
        ),
        Pattern(
            name="safe_access_removed",
            mechanism="nil_dereference",
            effects=_CRASH,
            words="get orelse optional getordefault dig fetch ofnullable ifpresent unwrap_or first firstordefault singleordefault maybe getattr setdefault length map",
            went=r"(?i)"
            + _SAFE
            + r"|firstordefault|singleordefault|ofnullable|defaultdict|unwrap_or|\.first\(\)|\.get\(\s*[\"']\w+[\"']\s*\)",
            came=r"\w\[[\"'\w.]+\]|\.get\(\)|\.\w+\b|!\.|\.First\(|\.Single\(|\.unwrap\(\)|\.fetch\(|!!",
            unless=r"(?i)"
            + _SAFE
            + r"|firstordefault|ofnullable|unwrap_or|setdefault|\bin \w+[:\]]|\btry\b|\.get\([^()]*\)(?!\s*[.\[])|if ",
            languages="java python js csharp ruby rust",
            says="{line} no longer allows for an absent value",
            weight=2.2,
        ),
        Pattern(
            name="optional_chain_removed",
            mechanism="nil_dereference",
            effects=_CRASH,
            words="",
            went=r"\?\.\w|&\.\w|\?\?",
            unless=r"\?\.|&\.|\?\?|if ",
            says="{line}, which allowed for an absent value, is gone",
            weight=2.4,
        ),
        Pattern(
            name="optional_unwrapped",
            mechanism="nil_dereference",
            effects=_CRASH,
            words="get unwrap expect first single value orelsethrow bang",
            came=r"\.get\(\)\s*(?:\.|;|$)|\.unwrap\(\)|\.expect\(\"|\.First\(\)|\.Single\(\)|\w!!\.|\w!\.\w|\.Value\.\w|findFirst\(\)\.get\(\)|find_by!",
            languages="java rust csharp js",
            unless=r"(?i)isPresent|HasValue|atomic|supplier|\.isOk|future\.get|threadlocal|\.is_some|orElse",
            unless_near=r"(?i)isPresent|HasValue|is_some",
            says="{line} takes a value that may be absent",
            weight=PLAUSIBLE,
        ),
        Pattern(
            name="assertion_unchecked",
            mechanism="type_assertion_panic",
            effects=_CRASH,
            words="",
            came=r"^(?!.*, \w*(?:ok|_|found)\w* :?=)(?!switch)(?:.*[=(,\s])?\w+(?:\.\w+)*(?:\[[^\]]+\])?(?:\.\w+\([^()]*\))?\.\((?:\*?\w[\w.\[\]]*|map\[\w+\]\w+)\)",
            unless=r", (?:ok|_|found|\w*[oO]k) :?=|switch .*\.\(type\)|\.\(type\)",
            languages="go",
            says="{line} panics when the value has another type",
            weight=2.2,
        ),
        Pattern(
            name="first_element_taken",
            mechanism="index_out_of_range",
            effects=_CRASH,
            words="",
            came=r"(?:\w|\))\[(?:0|1|2|-1|len\(\w+\)\s*-\s*1)\]\.?|\.first\b(?!\()\.\w|\.get\(0\)|strings\.Split\(.*\)\[\d\]",
            unless=r"(?i)len\(|\.length|isempty|\.size\(|\.count|if \w+:|args\[|argv|\?\.|\btry\b|any\?|present",
            unless_near=r"(?i)len\(|\.length|isempty|\.size\(|\.count|os\.args|argv|any\?|\bif \w+:",
            went=r"(?i)\bfor\b|range|first|len\(|length|firstordefault|\.get\(|\?\.|find|partition",
            says="{line} takes an element that may not exist",
            weight=2.0,
        ),
        Pattern(
            name="slice_bound_unchecked",
            mechanism="index_out_of_range",
            effects=_CRASH,
            words="min len length max clamp bounds",
            went=r"(?i)\bmin\(|math\.min|\bif\b.*(?:(?:len\(|\.length|\.size\(\)|\.count).*[<>]|[<>].*(?:len\(|\.length|\.size\(\)|\.count))|clamp|bounds",
            unless=r"(?i)min\(|len\(|\.length|\.size\(|\.count|clamp",
            says="{line}, which kept the index within bounds, is gone",
            weight=2.2,
        ),
        Pattern(
            name="returns_nothing",
            mechanism="nil_dereference",
            effects=(*_CRASH, Effect.WRONG_RESULT),
            words="return nil null none undefined",
            came=r"^return (?:nil|null|None|undefined)\b(?!.*(?:[eE]rr|fmt\.|status\.))(?:, nil)?;?$",
            went=r"^return\b(?!.*\b(?:nil|null|None)\b)|errnotfound|raise|throw|errors\.new|fmt\.errorf|status\.error|return .*err",
            unless_went=r"^return (?:nil|null|None)\b;?$",
            says="{line}: callers now get nothing where they got a value or an error",
            weight=2.2,
        ),
        Pattern(
            name="map_not_made",
            mechanism="nil_dereference",
            effects=_CRASH,
            words="make map new hashmap arraylist init",
            went=r"(?:=|:=|:)\s*(?:make\(map\[|map\[\w+\][\w.*]+\{\}|new (?:Concurrent)?(?:HashMap|ArrayList|List|Dictionary)|\{\},?$|\[\],?$)",
            came=r"^(?:var )?\w+\s+(?:=\s+)?map\[\w+\]|=\s*(?:null|None|nil|undefined)\b|Map<[^>]*> \w+;",
            says="{line} is written to before it is made",
            weight=2.2,
        ),
        Pattern(
            name="default_removed",
            mechanism="missing_configuration",
            effects=_CRASH,
            words="getenv environ get default env getproperty value orelse fetch viper process config getordefault",
            went=r"(?i)(?:getenv|environ\.get|env\.get|getordefault|getproperty|fetch|get_?env\w*|env_?or\w*)\(\s*[\"'][\w.]+[\"']\s*,|process\.env\.\w+\s*(?:\|\||\?\?)|\$\{\w[\w.]*:-?[^}]+\}|setdefault\(\"|default:",
            came=r"(?i)(?:getenv|environ\[|environ\.get|env\.get|getproperty|fetch|mustgetenv|get_?env\w*)[(\[]?\s*[\"'][\w.]+[\"']\s*[)\]]|process\.env\.\w+|\$\{\w[\w.]*\}|environ\[",
            unless=r"(?i)(?:getenv|environ\.get|get_?env\w*)\([\"'][\w.]+[\"']\s*,|\|\||\?\?|\$\{\w[\w.]*:",
            says="{line} has no default any more",
            weight=2.2,
        ),
        Pattern(
            name="new_required_variable",
            mechanism="missing_configuration",
            effects=_CRASH,
            words="environ mustgetenv required process requireenv env mustenv getenv",
            came=r"(?i)environ\[\s*[\"']\w+[\"']\s*\]|must_?get_?env\(|require_?env\(|must_?env\(|ENV\.fetch\([\"']\w+[\"']\)|env:\"\w+,(?:required|notEmpty)|required:\"true\"|\$\{\w+:\?",
            says="{line} needs a variable that may not be set",
            weight=PLAUSIBLE,
        ),
    )
)
