# Peer of engine.bench.ts: the hold model on SimPy, one process for each pending event.
# Usage: hold.py PENDING EVENTS < GAPS, where GAPS is 16384 doubles: gaps in whole microseconds. Prints seconds for EVENTS.
import array
import sys
import time

import simpy

pending, events = int(sys.argv[1]), int(sys.argv[2])
gaps = array.array('d', sys.stdin.buffer.read(16384 * 8)).tolist()
environment = simpy.Environment()
state = {'gap': 0, 'left': 0, 'done': None}


def hold():
    while True:
        gap = state['gap']
        state['gap'] = gap + 1
        yield environment.timeout(gaps[gap & 16383])
        state['left'] -= 1
        if state['left'] == 0:
            state['done'].succeed()


def run(count):
    state['left'] = count
    state['done'] = environment.event()
    environment.run(until=state['done'])


for _ in range(pending):
    environment.process(hold())
run(pending)
start = time.perf_counter()
run(events)
print(f'{time.perf_counter() - start:.9f}')
