// The names of queue orders and placements that a scenario may use: those of the scheduler's catalogue.

import { placements, queueOrders } from '../../core/scheduler/catalogue.ts';

export const orderNames: readonly string[] = Object.keys(queueOrders);

export const placementNames: readonly string[] = Object.keys(placements);
