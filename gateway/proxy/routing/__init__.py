"""Stop 4: which offerings may answer a call, in which order, and why the others may not. Pure."""
