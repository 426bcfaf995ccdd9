"""What changed: between two records, two instants, two editions; and how that is told."""
