"""stable-baselines3's PPO on CartPole-v1 as Gymnasium has it, or on the batch machine of batch_machine.py: steps a second, and the mean
return that the trained policy's last hundred episodes had. Prints one line of JSON.

    python3 stable_baselines_ppo.py cart-pole SEED STEPS
    python3 stable_baselines_ppo.py batch SEED STEPS TRACE

Needs stable-baselines3 and torch (`npm run provision:stable-baselines`, 5 GB).
"""

import json
import sys
import time

import gymnasium
import torch
from stable_baselines3 import PPO, __version__
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env


class Returns(BaseCallback):
    """Collects what episodes amounted to."""

    def __init__(self):
        super().__init__()
        self.returns = []

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "episode" in info:
                self.returns.append(info["episode"]["r"])
        return True


kind, seed, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
# With networks this small a second thread waits more than it computes: the peer is measured at its best.
torch.set_num_threads(1)
if kind == "cart-pole":
    environments = make_vec_env("CartPole-v1", n_envs=8, seed=seed)
    settings = {"gamma": 0.99, "gae_lambda": 0.95}
else:
    from batch_machine import BatchMachine, read_jobs

    jobs = read_jobs(sys.argv[4])
    environments = make_vec_env(lambda: BatchMachine(jobs, first=0, count=1981), n_envs=8, seed=seed)
    settings = {"gamma": 0.95, "gae_lambda": 0.9}
model = PPO(
    "MlpPolicy",
    environments,
    n_steps=256,
    batch_size=256,
    n_epochs=10,
    learning_rate=3e-4,
    seed=seed,
    device="cpu",
    **settings,
)
seen = Returns()
began, cpu = time.perf_counter(), time.process_time()
model.learn(steps, callback=seen)
seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
last = seen.returns[-100:]
print(
    json.dumps(
        {
            "trainer": f"stable-baselines3 {__version__}, torch {torch.__version__}, gymnasium {gymnasium.__version__}",
            "steps": model.num_timesteps,
            "seconds": seconds,
            "processorSeconds": cpu_seconds,
            "meanReturn": sum(last) / max(1, len(last)),
        }
    )
)
