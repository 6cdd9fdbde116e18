"""Cuts one week out of the Philly trace, for a scenario with gangs, tenants and priorities.

    python3 make-week.py philly.csv | gzip -9n > philly-week.csv.gz

The trace (timestamp, duration, num_gpus, gpu_time, cluster) has one row a job. Here a row is a task: a job of more than eight
GPUs becomes a gang of tasks of up to eight each, which must start together. Times count from Monday, 23 October 2017. Tenants
are the trace's virtual clusters. The trace has no priorities: the two virtual clusters with the largest jobs are taken for
production, and get priority 1. Nor does it say how often jobs save checkpoints: every half hour.
"""

import csv
import sys
from datetime import datetime, timedelta

BEGIN = datetime(2017, 10, 23)
END = BEGIN + timedelta(days=7)
PRODUCTION = ("ee9e8c", "7f04ca")
GPUS_A_MACHINE = 8
CHECKPOINT_SECONDS = 1800


def main() -> None:
    with open(sys.argv[1], newline="") as file:
        jobs = [(datetime.fromisoformat(row["timestamp"]), row) for row in csv.DictReader(file)]
    jobs.sort(key=lambda job: job[0])
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["task", "submitted", "seconds", "gpus", "gang", "size", "tenant", "priority", "checkpoint"])
    for number, (time, row) in enumerate(jobs, start=1):
        if not BEGIN <= time < END:
            continue
        gpus = int(float(row["num_gpus"]))
        parts = [GPUS_A_MACHINE] * (gpus // GPUS_A_MACHINE)
        if gpus % GPUS_A_MACHINE > 0:
            parts.append(gpus % GPUS_A_MACHINE)
        for index, part in enumerate(parts):
            is_gang = len(parts) > 1
            out.writerow([
                f"job-{number}" + (f"-{index + 1}" if is_gang else ""),
                int((time - BEGIN).total_seconds()),
                int(float(row["duration"])),
                part,
                f"job-{number}" if is_gang else "",
                len(parts) if is_gang else "",
                row["cluster"],
                1 if row["cluster"] in PRODUCTION else 0,
                CHECKPOINT_SECONDS,
            ])


main()
