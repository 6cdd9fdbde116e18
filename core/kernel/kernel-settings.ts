// What the kernel's parts take from the versioned settings when they are made. Settings of the scheduler, of dispatching and
// of health are read where they are used, so that a change applies from the next input on; those gathered here hold until a restart.

import type { BrokerSettings } from '../bus/broker-settings.ts';
import { defaultBrokerSettings } from '../bus/broker-settings.ts';
import type { KernelSettingTable } from '../config/kernel-setting-table.ts';
import type { Settings } from '../config/settings.ts';
import { type AgentRegistrySettings, agentRegistrySettings } from '../registry/agent-registry-settings.ts';

export type KernelSettings = Settings<KernelSettingTable>;

/** True if a change of the setting applies to a running kernel. */
export function appliesAtOnce(name: string): boolean {
  return ['scheduler.', 'dispatch.', 'health.', 'faults.'].some((part) => name.startsWith(part));
}

export function registrySettingsOf(settings: KernelSettings): AgentRegistrySettings {
  return {
    ...agentRegistrySettings(settings.get('registry.heartbeatIntervalMicros')),
    leaseMicros: settings.get('registry.leaseMicros'),
    threshold: settings.get('registry.suspicionThreshold'),
    capabilitySpace: 'skills',
    skills: {
      halfLifeMicros: settings.get('skills.halfLifeMicros'),
      classCountMax: settings.get('skills.classesMax'),
      optimism: settings.get('skills.optimism'),
    },
  };
}

export function brokerSettingsOf(settings: KernelSettings): BrokerSettings {
  return {
    ...defaultBrokerSettings,
    redeliveryMicros: settings.get('bus.redeliveryMicros'),
    topicMessagesMax: settings.get('bus.topicLengthMax'),
  };
}
