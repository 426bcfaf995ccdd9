"""News for people and their programs: raised once for each cause, then delivered until they arrive."""
