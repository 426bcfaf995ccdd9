"""How much one request or answer may hold: the same on every surface, and more than any agent sends.

Whatever is longer is refused by its name before work is done on it (gateway.proxy.surfaces).
"""

MOST_LEVELS = 128
"""Of nesting. orjson reads 1,024 and writes 254, what is sent is wrapped in more, and schemas are read by recursion."""
MOST_OBJECTS = 400_000
"""Objects and lists in one request. An agent's body of 10 MiB with 100,000 parts has about half as many."""
MOST_ITEMS = 200_000
"""Of any list that has no smaller bound here."""
MOST_MEMBERS = 10_000
"""Of any object, unknown ones included."""
MOST_MESSAGES = 50_000
"""Also contents, and items of an input."""
MOST_TOOLS = 1_024
MOST_STOPS = 64
MOST_LABELS = 64
"""Entries of metadata, and whatever else is listed beside a request."""
MOST_INPUTS = 2_048
"""Of one request for embeddings: OpenAI's own bound."""
LONGEST_NAME = 256
"""Characters of a model's or a tool's name, and of a member that nobody here knows."""
LONGEST_USER_ID = 512
