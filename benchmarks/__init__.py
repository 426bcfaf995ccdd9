"""What a call costs in both lanes, beside nginx and the bare upstream, in one interleaved run."""
