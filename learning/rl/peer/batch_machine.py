"""The batch machine of learning/env/batch, written natively for Gymnasium: 256 processors, the job chosen blocks until it fits, no
backfilling (RLScheduler, SC 2020). The observation is one row of nine features for each of the first 48 waiting jobs by SJF, zeros
below; an action that is no job takes the first. The reward is minus the waiting cost that passes, in thousands.

    python3 batch_machine.py TRACE START...

prints what the windows from those jobs return when the choices go round the candidates: the other environment must return the same.
"""

import gzip
import heapq
import json
import sys
from math import log

import gymnasium
import numpy as np

PROCESSORS, CANDIDATES, FEATURES, WINDOW = 256, 48, 9, 256


def read_jobs(path):
    """(submit, run, processors) of each job of a trace in Standard Workload Format."""
    jobs = []
    with gzip.open(path, "rt") as lines:
        for line in lines:
            fields = line.split()
            if not fields or fields[0].startswith(";"):
                continue
            run, size = float(fields[3]), max(int(fields[4]), int(fields[7]))
            if run > 0 and size > 0:
                jobs.append((float(fields[1]), run, size))
    return jobs


class BatchMachine(gymnasium.Env):
    def __init__(self, jobs, first, count):
        self.jobs, self.first, self.count = jobs, first, count
        self.observation_space = gymnasium.spaces.Box(-50, 50, (CANDIDATES * FEATURES,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(CANDIDATES)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.begin(self.first + int(self.np_random.integers(self.count - WINDOW + 1)))

    def begin(self, start):
        """The episode of the window from that job."""
        self.window = self.jobs[start : start + WINDOW]
        self.now, self.next, self.free = self.window[0][0], 0, PROCESSORS
        self.waiting, self.running, self.cost, self.rate = [], [], 0.0, 0.0
        self._admit()
        return self._observe(), {}

    def step(self, action):
        job = self.waiting.pop(int(action) if action < min(len(self.waiting), CANDIDATES) else 0)
        _, run, size = self.window[job]
        while size > self.free:
            self._advance()
        self.free -= size
        self.rate -= 1 / max(run, 10)
        heapq.heappush(self.running, (self.now + run, size))
        while not self.waiting and self.next < WINDOW:
            self._advance()
        reward, self.cost = -self.cost / 1000, 0.0
        return self._observe(), reward, not self.waiting, False, {}

    def _admit(self):
        while self.next < WINDOW and self.window[self.next][0] <= self.now:
            run = self.window[self.next][1]
            self.rate += 1 / max(run, 10)
            at = len(self.waiting)
            while at > 0 and self.window[self.waiting[at - 1]][1] > run:
                at -= 1
            self.waiting.insert(at, self.next)
            self.next += 1

    def _advance(self):
        arrival = self.window[self.next][0] if self.next < WINDOW else float("inf")
        release = self.running[0][0] if self.running else float("inf")
        at = min(arrival, release)
        self.cost += self.rate * (at - self.now)
        self.now = at
        self._admit()
        while self.running and self.running[0][0] <= at:
            self.free += heapq.heappop(self.running)[1]

    def _delay(self, size, ends):
        free = self.free
        for end, freed in ends:
            if free >= size:
                break
            free += freed
            last = end
        return 0.0 if self.free >= size else max(0.0, last - self.now)

    def _observe(self):
        rows = np.zeros((CANDIDATES, FEATURES), np.float32)
        ends = sorted(self.running)
        free, queue = self.free / PROCESSORS, log(max(1, len(self.waiting)))
        for row, job in enumerate(self.waiting[:CANDIDATES]):
            submit, run, size = self.window[job]
            wait, share, delay = self.now - submit, size / PROCESSORS, self._delay(size, ends)
            bounded = max(run, 10)
            rows[row] = (
                log(1 + run),
                share,
                log(1 + run * share),
                log(1 + wait),
                log((wait + bounded) / bounded),
                1.0 if delay == 0 else 0.0,
                log(1 + delay),
                free,
                queue,
            )
        return rows.ravel()


def play_around(machine, start):
    """Return of the window from that job: the n-th choice is candidate n, counted round."""
    machine.begin(start)
    total, choice, ended = 0.0, 0, False
    while not ended:
        _, reward, ended, _, _ = machine.step(choice % min(len(machine.waiting), CANDIDATES))
        total += reward
        choice += 1
    return total


if __name__ == "__main__":
    machine = BatchMachine(read_jobs(sys.argv[1]), first=0, count=WINDOW)
    print(json.dumps([play_around(machine, int(start)) for start in sys.argv[2:]]))
