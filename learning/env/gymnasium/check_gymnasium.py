"""Gymnasium's own environment checker on the environments of Sira, and an episode of each with a fixed rule. Prints JSON."""

import json
import sys
import warnings

import gymnasium
from gymnasium.utils.env_checker import check_env

from sira_gymnasium import SiraEnv

results = {"gymnasium": gymnasium.__version__, "episodes": {}}
for training in sys.argv[1:]:
    with warnings.catch_warnings():
        # The checker draws actions of which most are no candidates.
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*not in the range|.*recommend.*|.*unbounded.*|.*render.*|.*spec.*")
        env = SiraEnv(training, invalid="last")
        check_env(env, skip_render_check=True)
    observation, info = env.reset(seed=5)
    total, steps, done = 0.0, 0, False
    while not done:
        action = steps % int(info["action_mask"].sum())
        observation, reward, ended, truncated, info = env.step(action)
        total, steps, done = total + reward, steps + 1, ended or truncated
    env.close()
    strict = SiraEnv(training)
    strict.reset(seed=5)
    try:
        strict.step(strict.action_space.n - 1 if not strict.action_masks()[-1] else strict.action_space.n)
        refused = False
    except ValueError:
        refused = True
    strict.close()
    metrics = {name: value for name, value in info.items() if name != "action_mask"}
    results["episodes"][training] = {"reward": total, "steps": steps, "refused": refused, "metrics": metrics}
print(json.dumps(results))
