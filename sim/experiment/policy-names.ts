// The names of queue orders and placements that a scenario may use: those of the scheduler's catalogue.

import { learnedOrderName, learnedPlacementName, placements, queueOrders } from '../../core/scheduler/catalogue.ts';

export const orderNames: readonly string[] = [...Object.keys(queueOrders), learnedOrderName];

export const placementNames: readonly string[] = [...Object.keys(placements), learnedPlacementName];
