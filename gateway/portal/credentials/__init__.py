"""A team's own credentials of providers."""
