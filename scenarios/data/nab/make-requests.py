"""Makes request traces whose rate follows the New York taxi counts of the Numenta Anomaly Benchmark: a real load with a day, a week
and holidays, thirty times as fast. A half hour of the counts becomes a minute; of 400 passengers one is a request (rounded by chance),
at an even time within the minute; a request runs for a lognormal time with a mean of a minute (sigma 0.7) on one GPU.

`requests-train.csv.gz` holds the first four weeks of July 2014; `requests-1` to `-5` hold two days of warm-up and the week after them,
each later by a week, from 31 July on: no half hour is in both. `mixed-1` to `-5` are the same weeks with training jobs among the
requests, which no trace has: on average one in two minutes (Poisson), each for a lognormal time with a mean of an hour (sigma 0.7) on one
GPU; `mixed-train` is the same for the two days before. Usage: make-requests.py nyc_taxi.csv FOLDER
"""

import csv
import gzip
import io
import math
import random
import sys

PER_REQUEST = 400
MEAN_SECONDS = 60.0
SIGMA = 0.7
TRAINING_GAP_SECONDS = 120.0
TRAINING_SECONDS = 3600.0
DAY = 48


def lognormal(draw, mean):
    return max(0.001, round(mean * math.exp(draw.gauss(0.0, SIGMA) - SIGMA * SIGMA / 2), 3))


def write(path, counts, seed, training=False):
    draw = random.Random(seed)
    rows = []
    for minute, count in enumerate(counts):
        expected = count / PER_REQUEST
        requests = int(expected) + (1 if draw.random() < expected - int(expected) else 0)
        times = sorted(draw.random() for _ in range(requests))
        for share in times:
            rows.append((round(60 * (minute + share), 3), lognormal(draw, MEAN_SECONDS), 1))
    header = ("submitted", "seconds", "gpus")
    if training:
        header = (*header, "class")
        rows = [(*row, "request") for row in rows]
        jobs = random.Random(1000 + seed)
        time = jobs.expovariate(1 / TRAINING_GAP_SECONDS)
        while time < 60 * len(counts):
            rows.append((round(time, 3), lognormal(jobs, TRAINING_SECONDS), 1, "training"))
            time += jobs.expovariate(1 / TRAINING_GAP_SECONDS)
        rows.sort()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.getvalue().encode())
    return len(rows)


def main(source, folder):
    with open(source, newline="") as file:
        counts = [int(float(row["value"])) for row in csv.DictReader(file)]
    print(write(f"{folder}/requests-train.csv.gz", counts[: 28 * DAY], 0))
    for week in range(1, 6):
        begin = (30 + 7 * (week - 1)) * DAY
        print(write(f"{folder}/requests-{week}.csv.gz", counts[begin : begin + 9 * DAY], week))
        print(write(f"{folder}/mixed-{week}.csv.gz", counts[begin : begin + 9 * DAY], week, training=True))
    print(write(f"{folder}/mixed-train.csv.gz", counts[28 * DAY : 30 * DAY], 6, training=True))


main(sys.argv[1], sys.argv[2])
