"""The catalogue that a fresh database starts with: files that people can read, and how they become rows."""
