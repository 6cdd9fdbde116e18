// The body of the thread that holds the store of telemetry.

import { parentPort, workerData } from 'node:worker_threads';
import { telemetryStoreAt } from '../../stores/telemetry-address.ts';
import { SpillFolder } from './spill-folder.ts';
import { type DeskRequest, StoreDesk } from './store-desk.ts';

export interface StoreWorkerData {
  readonly address: string;
  readonly spillFolder: string;
}

const port = parentPort;
if (port !== null) {
  const { address, spillFolder } = workerData as StoreWorkerData;
  const store = await telemetryStoreAt(address);
  const desk = new StoreDesk(store, new SpillFolder(spillFolder), (answer) => port.postMessage(answer));
  desk.open();
  port.on('message', (request: DeskRequest) => desk.take(request));
}
