// The order of events that share a timestamp: arrivals first, then messages, timers and the world's own events, and the
// end of the instant last, so that simultaneous arrivals and releases share one scheduling cycle. What the instant brought
// is then written to the disk in one go.

/** Priorities of events, 0…255; at one timestamp the lower number runs first. */
export const eventPriority = { arrival: 0, message: 10, timer: 20, world: 30, instantEnd: 250, flush: 251 } as const;
