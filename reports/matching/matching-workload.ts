// What is asked of the agents with known skills: tasks to learn from, and requests held out to judge by. Arrivals and lengths are
// those of Azure's LLM requests, kinds of work those of a Gavel trace, CPU and memory those of openb's pods; the three are drawn
// independently. Requests held out come from other pods and other lines of the Gavel trace than the tasks.

import { join } from 'node:path';
import { RandomStream } from '../../core/base/random.ts';
import { microsPerSecond } from '../../core/base/time.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';
import { sampleLognormalByMean } from '../../sim/engine/distributions.ts';
import { readAzureLlmRequests } from '../../sim/workload/azure-llm-requests.ts';
import { readOpenbPods } from '../../sim/workload/openb-pods.ts';
import type { Workload, WorkloadTask } from '../../sim/workload/workload.ts';
import { dataFolder, type KnownSkills, readJobTypes } from './known-skills.ts';

/** A request of mean length is this much work for a P100 that nobody shares. */
const plainSeconds = 20;
/** Two runs of one task on one agent differ by this much: coefficient of variation of a lognormal factor. */
const variation = 0.1;
/** An agent whose memory does not hold the job and the one that it shares with says so after this long. */
const failMicros = 5 * microsPerSecond;
/** Time between two passes through Azure's 57 minutes. */
const pauseMicros = 10 * microsPerSecond;

/** A request: which agent serves this class fastest, of those that are large enough? */
export interface HeldOutRequest {
  readonly taskClass: string;
  readonly request: ResourceRequest;
}

export interface MatchingDemand {
  /** Endless: Azure's requests over and over, with other kinds of work each time. */
  readonly workload: Workload;
  readonly heldOut: readonly HeldOutRequest[];
}

export function matchingDemand(skills: KnownSkills, heldOutCount: number, seed: number): MatchingDemand {
  const pods = readOpenbPods(join(dataFolder, 'openb-fgd', 'openb_pod_list_default.csv')).tasks.filter(
    ({ request }) => request.gpuCount === 1 && request.gpuModels.length === 0,
  );
  const jobTypes = readJobTypes();
  // Even places are learned from, odd ones judged by.
  const everySecond = <T>(list: readonly T[], from: 0 | 1): T[] => list.filter((_, index) => index % 2 === from);
  return {
    workload: {
      tasks: () => learningTasks(skills, everySecond(pods, 0), everySecond(jobTypes, 0), seed),
      typicalTasks: () => [],
      notes: [],
    },
    heldOut: heldOutRequests(everySecond(pods, 1), everySecond(jobTypes, 1), heldOutCount, seed),
  };
}

interface Shape {
  readonly request: ResourceRequest;
}

function* learningTasks(
  skills: KnownSkills,
  shapes: readonly Shape[],
  jobTypes: readonly string[],
  seed: number,
): Generator<WorkloadTask> {
  const azure = readAzureLlmRequests({
    format: 'azure-llm',
    file: join(dataFolder, 'azure-llm-2023', 'AzureLLMInferenceTrace_code.csv.gz'),
    gpuMilli: 1000,
    memoryMib: 0,
    promptTokensPerSecond: 1000,
    outputTokensPerSecond: 50,
  } as Parameters<typeof readAzureLlmRequests>[0]).tasks;
  const meanMicros = azure.reduce((sum, { durationMicros }) => sum + durationMicros, 0) / azure.length;
  const firstMicros = azure[0]?.arrivalMicros ?? 0;
  const passMicros = (azure.at(-1)?.arrivalMicros ?? 0) - firstMicros + pauseMicros;
  const random = new RandomStream(seed, 'matching tasks');
  for (let pass = 0; ; pass++) {
    for (const { name, arrivalMicros, durationMicros } of azure) {
      const taskClass = jobTypes[random.nextBelow(jobTypes.length)] as string;
      const { request } = shapes[random.nextBelow(shapes.length)] as Shape;
      const plain = skills.plainRate(taskClass);
      const size = Math.max(1, Math.round((plain * plainSeconds * durationMicros) / meanMicros));
      const noiseSeed = random.nextUint32();
      const run = (machine: number, attempt: number) => {
        const rate = skills.rate(machine, taskClass);
        const factor = sampleLognormalByMean(new RandomStream(noiseSeed, `attempt ${attempt}`), 1, variation);
        const micros = rate === 0 ? failMicros : Math.max(1, Math.round(((size * factor) / rate) * microsPerSecond));
        const joules = ((skills.watts[machine] as number) * micros) / microsPerSecond;
        return { durationMicros: micros, fails: rate === 0, joules };
      };
      yield {
        name: `${name}-${pass}`,
        arrivalMicros: pass * passMicros + arrivalMicros - firstMicros,
        // A whole accelerator of the agent's; the job that shares it is not the kernel's.
        request: { ...request, gpuMilli: 1000 },
        durationMicros: Math.round((4000 * size * microsPerSecond) / plain),
        estimateMicros: Math.max(1, Math.round((size * microsPerSecond) / plain)),
        priority: 0,
        tenant: 'default',
        taskClass,
        size,
        run,
      };
    }
  }
}

function heldOutRequests(shapes: readonly Shape[], jobTypes: readonly string[], count: number, seed: number) {
  const random = new RandomStream(seed, 'held-out requests');
  return Array.from({ length: count }, () => ({
    taskClass: jobTypes[random.nextBelow(jobTypes.length)] as string,
    request: (shapes[random.nextBelow(shapes.length)] as Shape).request,
  }));
}
