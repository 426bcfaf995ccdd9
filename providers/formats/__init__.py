"""Wire formats, each in both directions: as clients speak them to us, and as we speak them to providers."""
