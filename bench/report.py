"""What a run prints and writes."""

import csv

from measure import OURS

LINE = "{:<38} {:<9} {:>11} {:>11} {:>6} {:>6} {:<6} {}"


def milliseconds(seconds):
    """With three digits or so."""
    value = seconds * 1000
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms" if value >= 10 else f"{value:.3f} ms"


def verdict(value, target):
    """Has the target been met?"""
    return "met" if value <= target else "missed"


def line(outcome):
    """The line of a case."""
    case = outcome.case
    if outcome.problem:
        return f"{case.name:<38} {case.relation.data:<9} FAILED: {outcome.problem}"
    return LINE.format(
        case.name, case.relation.data, milliseconds(outcome.median(OURS)), milliseconds(outcome.median(outcome.best)),
        f"{outcome.ratio:.2f}", f"{case.target:.2f}", verdict(round(outcome.ratio, 2), case.target), outcome.best)


def memory_line(outcome):
    """The line about the memory of a case's backend."""
    case, megabytes = outcome.case, outcome.memory / 1024
    return LINE.format(f"{case.name}, memory", case.relation.data, f"{megabytes:.0f} MB", "", "",
                       f"{case.memory}", verdict(megabytes, case.memory), "")


def table(outcomes):
    """Prints the lines as they come, and returns the outcomes."""
    done = []
    print(LINE.format("", "data", "ours", "by hand", "ratio", "target", "", "the best by hand").rstrip(), flush=True)
    for outcome in outcomes:
        print(line(outcome).rstrip(), flush=True)
        if outcome.memory:
            print(memory_line(outcome).rstrip(), flush=True)
        done.append(outcome)
    return done


def tap(outcomes, number):
    """Prints a TAP line for each case, which says whether both sides gave the same; returns the
    outcomes. There are no times: the sizes of a quick run say nothing."""
    done = []
    print(f"1..{number}", flush=True)
    for outcome in outcomes:
        done.append(outcome)
        case = outcome.case
        print(f"{'not ok' if outcome.problem else 'ok'} {len(done)} - {case.name} ({case.relation.data})", flush=True)
        if outcome.problem:
            print(f"# {outcome.problem}", flush=True)
    return done


def write_csv(outcomes, folder):
    """ratios.csv has a line for each case, runs.csv one for each measurement."""
    folder.mkdir(parents=True, exist_ok=True)
    with (open(folder / "ratios.csv", "w", newline="", encoding="utf-8") as ratio_file,
          open(folder / "runs.csv", "w", newline="", encoding="utf-8") as run_file):
        ratios, runs = csv.writer(ratio_file), csv.writer(run_file)
        ratios.writerow(["case", "data", "ours_ms", "by_hand_ms", "ratio", "target", "by_hand", "memory_mb"])
        runs.writerow(["case", "data", "side", "run", "ms"])
        for outcome in outcomes:
            case = outcome.case
            if outcome.problem:
                continue
            ratios.writerow([
                case.name, case.relation.data, f"{outcome.median(OURS) * 1000:.4f}",
                f"{outcome.median(outcome.best) * 1000:.4f}", f"{outcome.ratio:.3f}", case.target, outcome.best,
                round(outcome.memory / 1024) if outcome.memory else ""])
            for side, seconds in outcome.seconds.items():
                for i, value in enumerate(seconds, 1):
                    runs.writerow([case.name, case.relation.data, side, i, f"{value * 1000:.4f}"])
