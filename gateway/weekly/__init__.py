"""The weekly digest: what a person's teams spent in a week, and what changed there, in one mail on Monday morning."""
