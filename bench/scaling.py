"""The scaling run: what one id costs, by the number of ids and by the size of the pivot table."""

import csv
import subprocess
from pathlib import Path

import cases
import data
from client import Connection
from measure import OURS, Runner

HERE = Path(__file__).resolve().parent

MEMBERS = 1_000_000
ROWS_EACH = 100         # rows of every group that is not measured
ROWS = 1_000_000        # of the pivot table, where the number of ids varies
IDS = 1000              # where the size of the pivot table varies

BY_HAND = "unnest, sorted"


def read(world, sizes, relation, n, calls):
    """Parents with n rows, as jsonb."""
    parents = relation.fresh[:calls]
    return cases.Case(
        f"get_results {n:,}", 1, relation, cases.READ,
        {name: f"SELECT {obj}" + cases.FROM for name, obj in cases.OBJECTS.items()},
        [(parent,) for parent in parents], result="json", writes=parents,
        start={parent: world.some_related(relation, n) for parent in parents})


def operations(world, n):
    """The cases for n ids."""
    sizes, groups = cases.Sizes(quick=False), world.groups
    calls = {100: 20, 1000: 10, 10_000: 3}.get(n, 1)
    attach = cases.attach(world, sizes, groups, n, 1, calls)
    attach.theirs = {BY_HAND: attach.theirs[BY_HAND]}
    yield "attach", attach
    # a report's ids are distinct, so there must be some to replace with
    if n < MEMBERS:
        yield "sync, 10% changed", ours_alone(cases.sync(world, sizes, groups, n, 10, 1, calls))
    yield "detach", ours_alone(cases.detach_all(world, sizes, groups, n, 1, calls))
    yield "get_results", ours_alone(read(world, sizes, groups, n, calls))


def ours_alone(case):
    """The case without its hand-written side."""
    case.theirs = {}
    return case


def powers(first, last):
    """Powers of ten."""
    while first <= last:
        yield first
        first *= 10


def measure(database, runner, rows, many_ids):
    """Measures in a pivot table of so many rows; yields lines of the CSV file."""
    connection = Connection(database)
    data.generate(connection, max(rows // ROWS_EACH, 1), ROWS_EACH, MEMBERS)
    world = data.World(connection, MEMBERS)
    connection.close()
    for n in many_ids:
        for name, case in operations(world, n):
            outcome = runner.run(case)
            if outcome.problem:
                raise SystemExit(f"{name} of {n} ids in {rows} rows: {outcome.problem}")
            for side, seconds in outcome.seconds.items():
                label = name if side == OURS else f"{name}, by hand"
                yield label, n, rows, f"{outcome.median(side) / n * 1e6:.3f}", len(seconds)


def run(database, options):
    """Writes scaling.csv and the plot."""
    connection = Connection(database)
    connection.run((HERE / "small.sql").read_text())    # what data.World looks into
    data.prepare_debian(connection)
    connection.close()
    runner = Runner(database, options.runs or 5, options.clock)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "scaling.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["operation", "ids", "rows", "us_per_id", "runs"])
        for rows in powers(10_000, options.max_rows):
            many_ids = powers(100, options.max_ids) if rows == fixed_rows(options) else [IDS]
            for line in measure(database, runner, rows, many_ids):
                writer.writerow(line)
                file.flush()
                print("{:<20} {:>9} ids, {:>10} rows: {:>8} us per id".format(*line), flush=True)
    plot(path, options.out, fixed_rows(options))


def fixed_rows(options):
    """Rows of the pivot table in which the number of ids varies."""
    return min(ROWS, options.max_rows)


def plot(path, folder, rows):
    """scaling.svg and scaling.png beside the CSV file."""
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    names = list(dict.fromkeys(line["operation"] for line in lines))
    blocks = [block(lines, name, "rows", rows, "ids") for name in names]
    blocks += [block(lines, name, "ids", IDS, "rows") for name in names]
    for kind, terminal in (("svg", "svg size 1000,420 background 'white'"), ("png", "pngcairo size 1000,420")):
        head = [f"set terminal {terminal} font 'sans,11'", f"set output '{folder}/scaling.{kind}'",
                f"rows = '10^{len(str(rows)) - 1}'", f"ids = '10^{len(str(IDS)) - 1}'", f"n = {len(names)}",
                "$data << END", "\n\n\n".join(blocks), "END"]
        subprocess.run(["gnuplot", "-"], input="\n".join([*head, (HERE / "scaling.gp").read_text()]),
                       text=True, check=True)


def block(lines, name, fixed, value, x):
    """One line of the plot, as gnuplot reads it: its name, then points."""
    points = [f"{line[x]} {line['us_per_id']}" for line in lines
              if line["operation"] == name and int(line[fixed]) == value]
    return "\n".join([f'"{name}"', *points])
