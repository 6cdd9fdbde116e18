"""The environments of Sira as Gymnasium environments.

    from sira_gymnasium import SiraEnv
    env = SiraEnv("scenarios/training/lublin.yaml")

An observation is a box of `candidates` rows of features, zeros below the candidates that there are; an action is the number of a
row. `info["action_mask"]` says which rows are candidates (1) and which are not (0); an action that is none is refused with
ValueError. The environment itself runs in a process of its own, `node dist/sira.js environment FILE`, and is spoken to by lines of
JSON. Needs gymnasium 1.4 (`npm run provision:gymnasium`, or pip).
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import gymnasium
import numpy as np

ROOT = Path(__file__).resolve().parents[3]


class SiraEnv(gymnasium.Env):
    metadata = {"render_modes": []}

    def __init__(self, training: str, command: list[str] | None = None, invalid: str = "raise"):
        """`invalid`: what an action that is no candidate does: "raise", or "last" for the last candidate instead."""
        assert invalid in ("raise", "last")
        self._invalid = invalid
        command = command or ["node", str(ROOT / "dist" / "sira.js"), "environment"]
        self._process = subprocess.Popen(
            [*command, training], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.description = self._read()
        self._shape = (self.description["candidatesMax"], len(self.description["features"]))
        limit = np.finfo(np.float32).max
        self.observation_space = gymnasium.spaces.Box(-limit, limit, self._shape, np.float32)
        self.action_space = gymnasium.spaces.Discrete(self._shape[0])
        self._count = 0

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        episode = seed if seed is not None else int(self.np_random.integers(2**32))
        answer = self._ask({"reset": episode})
        return self._observation(answer), self._info(answer)

    def step(self, action):
        choice = int(action)
        if choice >= self._count and self._invalid == "last":
            choice = self._count - 1
        answer = self._ask({"step": choice})
        return self._observation(answer), float(answer["reward"]), answer["ended"], answer["truncated"], self._info(answer)

    def action_masks(self) -> np.ndarray:
        """As sb3-contrib's MaskablePPO asks for them."""
        return np.arange(self._shape[0]) < self._count

    def close(self):
        if self._process.poll() is None:
            self._process.stdin.close()
            self._process.wait(timeout=10)
        self._process.stdout.close()

    def _observation(self, answer: dict) -> np.ndarray:
        self._count = answer["count"]
        rows = np.zeros(self._shape, np.float32)
        rows[: self._count] = np.asarray(answer["rows"], np.float32).reshape(self._count, self._shape[1])
        return rows

    def _info(self, answer: dict) -> dict:
        return {"action_mask": self.action_masks().astype(np.int8), **answer["metrics"]}

    def _ask(self, request: dict) -> dict:
        self._process.stdin.write(json.dumps(request) + "\n")
        answer = self._read()
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer

    def _read(self) -> dict:
        line = self._process.stdout.readline()
        if line == "":
            raise RuntimeError(f"the environment's process ended with {self._process.wait()}")
        return json.loads(line)
