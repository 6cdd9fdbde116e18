"""Makes request traces whose rate follows the New York taxi counts of the Numenta Anomaly Benchmark: a real load with a day, a week
and holidays, thirty times as fast. A half hour of the counts becomes a minute; of 400 passengers one is a request (rounded by chance),
at an even time within the minute; a request runs for a lognormal time with a mean of a minute (sigma 0.7) on one GPU.

`requests-train.csv.gz` holds the first four weeks of July 2014; `requests-1` to `-5` hold two days of warm-up and the week after them,
each later by a week, from 31 July on: no half hour is in both. Usage: make-requests.py nyc_taxi.csv FOLDER
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
DAY = 48


def write(path, counts, seed):
    draw = random.Random(seed)
    rows = []
    for minute, count in enumerate(counts):
        expected = count / PER_REQUEST
        requests = int(expected) + (1 if draw.random() < expected - int(expected) else 0)
        times = sorted(draw.random() for _ in range(requests))
        for share in times:
            seconds = MEAN_SECONDS * math.exp(draw.gauss(0.0, SIGMA) - SIGMA * SIGMA / 2)
            rows.append((round(60 * (minute + share), 3), max(0.001, round(seconds, 3)), 1))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("submitted", "seconds", "gpus"))
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


main(sys.argv[1], sys.argv[2])
