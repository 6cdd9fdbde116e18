// What the kernel's parts take from the versioned settings. Those of the scheduler, of dispatching and of health are read where they
// are used, so that a change applies from the next input on; those gathered here are handed to their part again when they change.

import type { BrokerSettings } from '../bus/broker-settings.ts';
import { defaultBrokerSettings } from '../bus/broker-settings.ts';
import type { KernelSettingTable } from '../config/kernel-setting-table.ts';
import type { Settings } from '../config/settings.ts';
import { type AgentRegistrySettings, agentRegistrySettings } from '../registry/agent-registry-settings.ts';
import type { LeaseTerms } from './effects.ts';

export type KernelSettings = Settings<KernelSettingTable>;

/** True if a part holds a copy of the setting, which it must be told of. */
export function isCopied(name: string): boolean {
  return ['registry.', 'skills.', 'bus.'].some((part) => name.startsWith(part));
}

/** What an agent is told when it registers. */
export function leaseTermsOf(settings: KernelSettings): LeaseTerms {
  return {
    leaseMicros: settings.get('registry.leaseMicros'),
    heartbeatIntervalMicros: settings.get('registry.heartbeatIntervalMicros'),
  };
}

export function registrySettingsOf(settings: KernelSettings): AgentRegistrySettings {
  return {
    ...agentRegistrySettings(settings.get('registry.heartbeatIntervalMicros')),
    leaseMicros: settings.get('registry.leaseMicros'),
    disconnectGraceMicros: settings.get('registry.disconnectGraceMicros'),
    clockErrorMicros: settings.get('registry.clockErrorMicros'),
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
