// Reads the node lists of Alibaba's openb trace (2023): `sn,cpu_milli,memory_mib,gpu,model`.

import { SiraError } from '../../core/base/errors.ts';
import { deviceCountMax } from '../../core/scheduler/cluster-state.ts';
import { readCsvRows } from './csv-rows.ts';
import type { MachineSpec } from './workload.ts';

/** The machines in the file's order. Throws `SIRA_FILE_MISSING` and `SIRA_TRACE_MALFORMED`. */
export function readOpenbNodes(file: string): MachineSpec[] {
  const machines: MachineSpec[] = [];
  readCsvRows(file, ['sn', 'cpu_milli', 'memory_mib', 'gpu', 'model'], (row) => {
    const gpuCount = row.integer('gpu', 0);
    if (gpuCount > deviceCountMax) {
      throw new SiraError(
        'SIRA_TRACE_MALFORMED',
        `${gpuCount} GPUs, a machine has at most ${deviceCountMax}`,
        row.place('gpu'),
      );
    }
    machines.push({
      name: row.text('sn'),
      cpuMilli: row.integer('cpu_milli', 0),
      memoryMib: row.integer('memory_mib', 0),
      gpuCount,
      gpuModel: gpuCount === 0 ? '' : row.text('model'),
    });
  });
  return machines;
}
