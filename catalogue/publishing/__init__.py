"""From working rows to numbered editions, and back to an earlier one."""
