"""The playground: models side by side on one prompt, as a client like any other."""
