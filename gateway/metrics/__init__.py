"""What this deployment does, as numbers for Prometheus.

Calls and attempts are noted by an observer, and folded once a second by a thread into files of this process; one
scrape adds up the files of all processes of a host. A metric more: its line in `families.py`, and where its facts are
known, `folding.py` or `gauges.py`.
"""
