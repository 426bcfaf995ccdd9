"""What models are known to refuse, by their names at providers: a declared parameter says less than that.

Sources: https://platform.claude.com/docs/en/about-claude/models/migration-guide (Opus 4.7 and later take no sampling
and no budget of thoughts), https://platform.claude.com/docs/en/build-with-claude/effort,
https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages (Opus 4.8 and later, of which
Sonnet 5 is said both ways), https://ai.google.dev/gemini-api/docs/function-calling (media in results since Gemini 3),
https://ai.google.dev/gemini-api/docs/thinking (levels since Gemini 3, budgets before; Claude is adaptive since 4.6),
and OpenAI's guide to reasoning models (November 2026).
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

_CLAUDE = re.compile(r"claude-[a-z]+-(\d{1,2})(?:-(\d{1,2}))?(?!\d)")
_CLAUDE_BEFORE = re.compile(r"claude-(\d{1,2})(?:-(\d{1,2}))?-[a-z]+")
_OPENAI = re.compile(
    r"(?:^|/)(?:o[134](?:-mini|-pro)?|gpt-5(?:-mini|-nano|-pro|-codex)?)(?:-\d{4}-\d{2}-\d{2})?"
)
_OPENAI_SINCE_5_1 = re.compile(r"(?:^|/)gpt-(?:5\.[1-9]|[6-9])")
_DRAWN = frozenset({"temperature", "top_p", "top_k"})
_GEMINI = re.compile(r"gemini-(\d+)")
_NEW_GEMINI = 3
_OPENAI_DRAWN = frozenset({"temperature", "top_p", "frequency_penalty", "presence_penalty", "logit_bias"})
_SAMPLELESS, _ONE_SAMPLER, _LATER_SYSTEM = (4, 7), (4, 1), (4, 8)
_NO_LATER_SYSTEM = re.compile(r"claude-sonnet-5(?!-[1-9]\b)")


@dataclass(frozen=True, slots=True)
class KnownModel:
    """`refuses` are settings of sampling, `refuses_thinking` those that it refuses while it is asked to reason.

    With `takes_one_sampler` it refuses top_p beside temperature.
    `efforts` are those of its own, from the least; empty: not known. `refuses_budget`: of thoughts, in tokens, which
    one that `needs_budget` is told how much to think by, and by nothing else; it thinks with `least_budget` or more.
    `takes_later_system`: messages of the system behind the first turn, in Anthropic's format; None: not known.
    `takes_media_in_results`: of tools, in Gemini's format.
    """

    refuses: frozenset[str] = frozenset()
    refuses_thinking: frozenset[str] = frozenset()
    takes_one_sampler: bool = False
    efforts: tuple[str, ...] = ()
    refuses_budget: bool = False
    needs_budget: bool = False
    least_budget: int = 0
    takes_later_system: bool | None = None
    takes_media_in_results: bool = False


_UNKNOWN = KnownModel()
_OLD_CLAUDE = KnownModel(takes_later_system=False, needs_budget=True)
_SINCE_4_1 = replace(_OLD_CLAUDE, takes_one_sampler=True, efforts=("low", "medium", "high"))
_OF_4_6 = replace(_SINCE_4_1, efforts=("low", "medium", "high", "max"), needs_budget=False)
_SINCE_4_7 = replace(
    _OF_4_6,
    refuses=_DRAWN,
    takes_one_sampler=False,
    efforts=("low", "medium", "high", "xhigh", "max"),
    refuses_budget=True,
)
_SINCE_4_8 = replace(_SINCE_4_7, takes_later_system=True)
_OLD_GEMINI = KnownModel(needs_budget=True)
_GEMINI_2_5_PRO = replace(_OLD_GEMINI, least_budget=128)
_SINCE_GEMINI_3 = KnownModel(takes_media_in_results=True)
_REASONING = KnownModel(_OPENAI_DRAWN)
_SINCE_5_1 = KnownModel(refuses_thinking=_OPENAI_DRAWN, efforts=("low", "medium", "high", "xhigh", "max"))


@lru_cache(maxsize=4096)
def known_model(upstream_name: str) -> KnownModel:
    name = upstream_name.lower().replace(".", "-")
    if claude := _CLAUDE.search(name) or _CLAUDE_BEFORE.search(name):
        return _claude((int(claude[1]), int(claude[2] or 0)), name)
    if gemini := _GEMINI.search(name):
        old = _GEMINI_2_5_PRO if "gemini-2-5-pro" in name else _OLD_GEMINI
        return _SINCE_GEMINI_3 if int(gemini[1]) >= _NEW_GEMINI else old
    if _OPENAI_SINCE_5_1.search(upstream_name.lower()):
        return _SINCE_5_1
    return _REASONING if _OPENAI.fullmatch(upstream_name.lower()) else _UNKNOWN


def _claude(version: tuple[int, int], name: str) -> KnownModel:
    if version >= _LATER_SYSTEM and not _NO_LATER_SYSTEM.search(name):
        return _SINCE_4_8
    if version >= _SAMPLELESS:
        return _SINCE_4_7
    if version == (4, 6):
        return _OF_4_6
    return _SINCE_4_1 if version >= _ONE_SAMPLER else _OLD_CLAUDE
