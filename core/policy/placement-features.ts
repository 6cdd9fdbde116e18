// What the schema `placement/1` tells a network about one machine that could take a task: the machine as it would be afterwards, by
// its own columns, and for members of a gang where the others stand. The columns are repeated once for each class of request, and
// all but those of the task's own class are 0, so that even a network of one layer weighs machines differently for tasks that
// share a device and for tasks that want several. Computing them is core/scheduler/plugins/placement-observer.ts's.

export const placementSchema = 'placement/1';

/** Classes of requests, by what they ask of devices. */
export const placementClasses = ['cpu', 'share', 'whole', 'several'] as const;

/** In the order of the columns of one class. "After" is with the task on the machine; shares are of the machine's own resources. */
export const placementColumns = [
  /** Rise of the machine's fragmentation for the typical workload, in GPUs; 0 without typical tasks. */
  'fragmentationRise',
  /** Rise of the GPUs whose typical share of CPU the machine does not have. */
  'strandedRise',
  /** Share of its CPU, its GPUs, its memory that is left after; 0 of what it does not have. */
  'cpuLeft',
  'gpuLeft',
  'memoryLeft',
  /** `cpuLeft − gpuLeft`, its size, and `memoryLeft − gpuLeft`. */
  'cpuOverGpu',
  'imbalance',
  'memoryOverGpu',
  /** What is left after, as a share of the largest machine. */
  'cpuLeftOfLargest',
  'gpuLeftOfLargest',
  /** Mean share left after on the devices that the task takes, and the share of them that nobody uses yet. */
  'deviceLeft',
  'devicesOpened',
  /** 1 if nothing runs on the machine. */
  'machineOpened',
  /** Devices entirely free after, as a share of the largest machine's devices. */
  'wholeLeft',
  /** Share of the typical tasks that name the machine's GPU model. */
  'modelWanted',
  /** Natural logarithm of the agent's speed at the task's class, in units of work a second. */
  'speedLog',
  /** Of the members of the gang that are still to be placed, the share that fits this machine; and that fits its rack. */
  'gangRoom',
  'rackRoom',
  /** Share of the members placed before that stand on this machine, and their mean seconds a gigabit from here. */
  'matesHere',
  'linkDelay',
  /** How far `speedLog` is below that of the slowest of them, and above. */
  'slowerThanMates',
  'fasterThanMates',
] as const;

export const placementColumnCount = placementColumns.length;
export const placementFeatureCount = placementClasses.length * placementColumnCount;

/** One name a feature: `share.cpuLeft`. */
export const placementFeatureNames: readonly string[] = placementClasses.flatMap((name) =>
  placementColumns.map((column) => `${name}.${column}`),
);
