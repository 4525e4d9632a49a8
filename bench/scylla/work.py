"""The cases: what each measures, on which rows, and what must come out. client.js has the same numbers.

The pivot has PARENTS partitions of RELATED rows. What writes has parents of its own, from `base` on, that nobody else
uses: nothing is put back between measurements.
"""

import argparse

PARENTS = 20_000
RELATED = 8
ROLES = 10_000
ROWS = 1_000_000
# Primes, so that neighbours are far from each other.
PARENT_STRIDE = 7919
ROLE_STRIDE = 1237

EAGER = 1000            # parents of an eager load
READS = 500             # partitions that are read one after the other
LIST = {"attach_1000": 1000, "attach_50000": 50_000, "sync_1000": 1000, "toggle_100": 100}
CASES = ("eager", "partition", "scan", *LIST)

HEADING = "case,variant,repeat,seconds,cpu_seconds"


def arguments(description, variants):
    """The command line that all clients understand."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--hosts", required=True, help="of the cluster, with commas between them")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--case", choices=CASES, required=True)
    parser.add_argument("--variant", choices=variants, default=variants[0])
    parser.add_argument("--repeat", type=int, required=True, help="times that are measured")
    parser.add_argument("--warm-up", type=int, required=True, help="times before that")
    parser.add_argument("--base", type=int, required=True, help="the first parent that is to be written to")
    return parser.parse_args()


def parents_of(turn, count):
    """The parents that a turn reads."""
    return [(turn * count + i) * PARENT_STRIDE % PARENTS + 1 for i in range(count)]


def roles_of(parent):
    """The roles of a parent that was loaded."""
    return [(parent * RELATED + i) * ROLE_STRIDE % ROLES + 1 for i in range(RELATED)]


def level_of(parent, role):
    """The pivot's level, by which results are checked."""
    return (parent + role) % 10


def levels_of(parents):
    """The sum of the levels of all that parents have."""
    return sum(level_of(parent, role) for parent in parents for role in roles_of(parent))


def before(case):
    """The ids that a parent has before a case writes to it."""
    return {"sync_1000": list(range(1, 1001)), "toggle_100": list(range(1, 51))}.get(case, [])


def given(case):
    """The ids that a case is given: of those of sync a tenth are new; of those of toggle half are there."""
    if case == "sync_1000":
        return list(range(101, 1101))
    return list(range(1, LIST[case] + 1))


def after(case):
    """The ids that the parent must have then."""
    return list(range(51, 101)) if case == "toggle_100" else given(case)


def report(options, turn, seconds, processor):
    """A line of the CSV."""
    print(f"{options.case},{options.variant},{turn},{seconds:.6f},{processor:.6f}", flush=True)
