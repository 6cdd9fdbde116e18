// The settings that the kernel's parts read while they work, gathered from the versioned settings table. The object is one
// for the kernel's life; a changed setting changes its fields between two inputs, never within one.

import { type AgentRegistrySettings, agentRegistrySettings } from '../registry/agent-registry-settings.ts';
import { type BrokerSettings, defaultBrokerSettings } from '../bus/broker-settings.ts';

export interface KernelSettings {
  registry: { leaseMicros: number; heartbeatIntervalMicros: number; suspicionThreshold: number };
  scheduler: { queueLengthMax: number; attemptsMax: number; backoffFirstMicros: number; backoffMaxMicros: number; runnersUpMax: number };
  dispatch: { retryMicros: number };
  bus: { redeliveryMicros: number; topicMessagesMax: number };
}

export function defaultKernelSettings(): KernelSettings {
  return {
    registry: { leaseMicros: 40_000_000, heartbeatIntervalMicros: 10_000_000, suspicionThreshold: 8 },
    scheduler: { queueLengthMax: 1_000_000, attemptsMax: 16, backoffFirstMicros: 1_000_000, backoffMaxMicros: 300_000_000, runnersUpMax: 3 },
    dispatch: { retryMicros: 5_000_000 },
    bus: { redeliveryMicros: 30_000_000, topicMessagesMax: 65_536 },
  };
}

export function brokerSettingsOf(settings: KernelSettings): BrokerSettings {
  return { ...defaultBrokerSettings, redeliveryMicros: settings.bus.redeliveryMicros, topicMessagesMax: settings.bus.topicMessagesMax };
}

export function registrySettingsOf(settings: KernelSettings): AgentRegistrySettings {
  const { leaseMicros, heartbeatIntervalMicros, suspicionThreshold } = settings.registry;
  return { ...agentRegistrySettings(heartbeatIntervalMicros), leaseMicros, threshold: suspicionThreshold, capabilitySpace: 'skills' };
}
