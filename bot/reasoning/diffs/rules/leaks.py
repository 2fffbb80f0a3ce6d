"""Resources that are opened and no longer given back: connections, bodies, timers, threads, memory."""

from bot.reasoning.diffs.reading import Effect
from bot.reasoning.diffs.rule import Pattern

_POOL = (Effect.POOL, Effect.ERRORS, Effect.LATENCY)
_MEMORY = (Effect.MEMORY_GROWTH, Effect.CRASH)

_PATTERNS = (
    Pattern(
        name="close_removed",
        mechanism="resource_leak",
        effects=_POOL,
        words="close closed dispose release returnconnection putconn putback return disconnect destroy shutdown quit",
        went=r"(?i)(?:\.|\b)(?:close(?:quietly|body|connection|async)?|dispose(?:async)?|release(?:connection)?|returnconnection|putconn|disconnect|quit)\s*(?:\(|$)",
        unless=r"(?i)\bdefer\b.*close|\bwith\b .*\bas\b|\bwith\b .*:$|try\s*\(|\busing\b|with-resources|\.use\s*\{|\.release|contextmanager|finally|ensure\b|Close|close\(",
        unless_went=r"(?i)(?:[:=]|\bdefer)\s*.*(?:\bopen|connect|getconnection|acquire|borrow|dial|newclient|prepare)\w*\(|flusher|\bclose\(\w*(?:chan|done|ch|quit|stop)\)",
        says="{line}, which gave the resource back, is gone",
    ),
    Pattern(
        name="with_removed",
        mechanism="resource_leak",
        effects=_POOL,
        words="with using try use",
        went=r"^(?:async )?with .*(?:open|connect|session|cursor|client|pool|acquire|lock|transaction|atomic|conn)\w*.*:|^(?:await )?using\s*(?:\(|var)|^try\s*\(\s*\w|\.use \{",
        unless=r"(?i)^(?:async )?with |\busing\b|^try\s*\(|\.close|dispose|finally|\.use \{|\.release",
        came=r"(?i)=\s*(?:await )?.*(?:open|connect|session|cursor|client|pool|acquire|conn|statement|reader|stream)\w*(?:\(|\.)",
        says="{line} is no longer inside a block that closes it",
    ),
)
RULES = tuple(pattern.rule() for pattern in _PATTERNS)
