// The demand of collectives between devices by the ring algorithms, optimal in bytes (Patarasuk and Yuan, "Bandwidth optimal
// all-reduce algorithms for clusters of workstations", JPDC 69(2), 2009): what each participant computes, moves in its own
// memory and sends over its link.

import { bytesPerElement, type DataType } from './data-type.ts';
import { checkExtents, type OperatorLoad, operatorLoad } from './operator-load.ts';

/**
 * Sums `elements` over all participants and leaves the sum with each: reduce-scatter, then all-gather, of participants − 1
 * steps each, in which 1/participants of the elements is sent on: 2 · (participants − 1) / participants of the bytes in all.
 */
export function allReduce(
  elements: number,
  participants: number,
  dataType: DataType,
  name = 'all-reduce',
): OperatorLoad {
  checkExtents(name, { elements, participants });
  const part = ((participants - 1) / participants) * elements;
  const size = bytesPerElement(dataType);
  return operatorLoad(name, dataType, {
    flops: part,
    // Reduce-scatter reads what came and what is here and writes the sum; all-gather writes what came. What is sent is read.
    bytesRead: 2 * part * size + 2 * part * size,
    bytesWritten: 2 * part * size,
    linkBytes: 2 * part * size,
    linkMessages: 2 * (participants - 1),
    activationBytes: elements * size + elements * (size / participants),
  });
}

/** Leaves with each participant the `elements` of all, each having brought 1/participants of them. */
export function allGather(
  elements: number,
  participants: number,
  dataType: DataType,
  name = 'all-gather',
): OperatorLoad {
  checkExtents(name, { elements, participants });
  const bytes = ((participants - 1) / participants) * elements * bytesPerElement(dataType);
  return operatorLoad(name, dataType, {
    bytesRead: bytes,
    bytesWritten: bytes,
    linkBytes: bytes,
    linkMessages: participants - 1,
    activationBytes: elements * bytesPerElement(dataType),
  });
}
