"""Real agents, as their makers publish them, through the gateway in front of a provider of each wire format."""
