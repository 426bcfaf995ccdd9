"""The status page: what calls, probes and breakers told of models and providers, by day, and incidents as a diary."""
