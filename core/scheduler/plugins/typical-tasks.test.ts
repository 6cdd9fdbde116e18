import { expect, it } from 'vitest';
import type { ResourceRequest } from '../request.ts';
import { typicalTasksOf } from './typical-tasks.ts';

const request = (cpuMilli: number, gpuCount: number, gpuMilli: number, gpuModels: string[] = []): ResourceRequest => ({
  cpuMilli,
  memoryMib: cpuMilli,
  gpuCount,
  gpuMilli,
  gpuModels,
  machineCount: 1,
});

it('takes the most frequent kinds until the coverage is reached, larger ones first among equals', () => {
  const requests = [
    ...Array.from({ length: 12 }, () => request(4000, 1, 1000)),
    ...Array.from({ length: 3 }, () => request(2000, 1, 500, ['T4'])),
    ...Array.from({ length: 3 }, () => request(2000, 1, 500, ['V100'])),
    request(8000, 0, 0),
    // Memory is not looked at, nor GPU milli and models where no GPU is asked for.
    { ...request(8000, 0, 700, ['T4']), memoryMib: 1 },
  ];
  const typical = typicalTasksOf(requests, 0.9);
  expect(
    typical.map(({ cpuMilli, gpuCount, gpuMilli, gpuModels }) => [cpuMilli, gpuCount, gpuMilli, ...gpuModels]),
  ).toEqual([
    [4000, 1, 1000],
    [2000, 1, 500, 'V100'],
    [2000, 1, 500, 'T4'],
  ]);
  expect(typical.map(({ count }) => count)).toEqual([12 / 20 / (18 / 20), 3 / 20 / (18 / 20), 3 / 20 / (18 / 20)]);
  expect(typicalTasksOf(requests, 1)).toHaveLength(4);
  expect(typicalTasksOf([])).toEqual([]);
});
