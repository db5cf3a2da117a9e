"""How fast a first load is, as a ratio to a peer that is measured in the same run: `python -m benchmarks`.

__main__     the rounds
process      one process from its start to its end: seconds and memory
shop         the sandbox, in a process of its own
load         our load
floor        reading the pages alone
peer         dlt, in an environment of its own; peer_dlt is what runs there
report       the tables
"""
