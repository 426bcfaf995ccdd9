"""A provider on a real socket that does what a test tells it, in OpenAI's format.

`ScriptedProvider` runs in a thread; `python -m tests.upstream --port N --log FILE` in a process of its own.
What a request meets is chosen by the script, else by its model (`fault-429`, `fault-slow?chunks=40`),
else by the default; the names are in `tests.upstream.behaviours`.
"""

from tests.upstream.provider import ScriptedProvider, Seen

__all__ = ["ScriptedProvider", "Seen"]
