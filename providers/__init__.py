"""How we reach upstreams: providers, credentials, wire formats and their health."""
