// What the machines of all agents offer, one column a resource, so that a filter looks at numbers that lie side by side.

import type { AgentResources } from './agent-hello.ts';
import { CodedColumn } from './coded-column.ts';
import { grownFloats } from './grown-column.ts';

export class ResourceColumns {
  cpuMilli = new Float64Array(0);
  memoryMib = new Float64Array(0);
  gpuCount = new Float64Array(0);
  readonly gpuModel = new CodedColumn<string>();

  grow(rows: number): void {
    this.cpuMilli = grownFloats(this.cpuMilli, rows);
    this.memoryMib = grownFloats(this.memoryMib, rows);
    this.gpuCount = grownFloats(this.gpuCount, rows);
  }

  /** The columns must have been grown to the row. */
  set(row: number, { cpuMilli, memoryMib, gpuCount, gpuModel }: AgentResources): void {
    this.cpuMilli[row] = cpuMilli;
    this.memoryMib[row] = memoryMib;
    this.gpuCount[row] = gpuCount;
    this.gpuModel.set(row, gpuModel);
  }

  of(row: number): AgentResources {
    return {
      cpuMilli: this.cpuMilli[row] as number,
      memoryMib: this.memoryMib[row] as number,
      gpuCount: this.gpuCount[row] as number,
      gpuModel: this.gpuModel.get(row) ?? '',
    };
  }
}
