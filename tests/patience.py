"""How long tests wait for what must come, so that no verdict hangs on the speed of a machine."""

HANG_S = 180.0
"""Only a hang reaches it, also where every processor is busy with something else."""

LONG_HANG_S = 600.0
"""The same for a program with minutes of work: an import of everything, another run of tests."""
