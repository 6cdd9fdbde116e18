"""Times statsforecast on series given as lines of JSON, one thread, in processor seconds: `statsforecast-peer.py FILE HORIZON`.

Each model is fitted once before the clock starts, so that no compilation is counted. Prints one JSON object: version, and by model
the seconds for all series.
"""
import json
import sys
import time

import numpy
import statsforecast
from statsforecast.models import MSTL, AutoTheta, HoltWinters

with open(sys.argv[1]) as file:
    series = [numpy.array(json.loads(line), dtype=float) for line in file]
horizon = int(sys.argv[2])

models = {
    "HoltWinters (24)": lambda: HoltWinters(season_length=24),
    "AutoTheta (24)": lambda: AutoTheta(season_length=24),
    "MSTL (24, 168)": lambda: MSTL(season_length=[24, 168]),
}
seconds = {}
for name, make in models.items():
    make().forecast(y=series[0], h=horizon)
    start = time.process_time()
    for values in series:
        make().forecast(y=values, h=horizon)
    seconds[name] = time.process_time() - start
print(json.dumps({"version": statsforecast.__version__, "seconds": seconds}))
