"""Questions that are asked of rows in SQL: working ones, published ones, and their status."""
