// Agents by the thousand in a process of their own: gateways, each one connection that speaks for many, with the client that people use.

import { RandomStream } from '../../../core/base/random.ts';
import { AgentConnection, type AgentDefinition } from '../../../core/live/client.ts';
import { answerParent } from './bench-child.bench.ts';
import { skillNames } from './skill-names.bench.ts';

export interface FleetOptions {
  readonly address: string;
  readonly gateways: number;
  readonly agentsPerGateway: number;
  /** Skills that an agent has of those there are. */
  readonly skillsEach: number;
}

const gpuModels = ['A100', 'V100', 'T4'] as const;
const readyMillisMax = 120_000;

const connections: AgentConnection[] = [];

function definitions({ agentsPerGateway, skillsEach }: FleetOptions, gateway: number): AgentDefinition[] {
  const random = new RandomStream(1 + gateway, 'fleet');
  return Array.from({ length: agentsPerGateway }, (_, index) => {
    const skills: Record<string, number> = {};
    while (Object.keys(skills).length < skillsEach)
      skills[skillNames[random.nextBelow(skillNames.length)] as string] = 0.5 + random.nextFloat();
    return {
      name: `gateway-${gateway}/agent-${index}`,
      functions: {
        echo: (inputs) => inputs,
      },
      skills,
      resources: {
        ...{ cpuMilli: 96_000, memoryMib: 65_536 * (1 + random.nextBelow(8)) },
        ...{ gpuCount: 8, gpuModel: gpuModels[random.nextBelow(3)] as string },
      },
      labels: { zone: `zone-${index % 7}` },
    };
  });
}

answerParent({
  /** Resolves when all are registered: how long it took, milliseconds. */
  start: async (options: FleetOptions): Promise<number> => {
    const begin = performance.now();
    for (let gateway = 0; gateway < options.gateways; gateway++)
      connections.push(AgentConnection.start({ address: options.address, agents: definitions(options, gateway) }));
    while (!connections.every((connection) => connection.isReady)) {
      if (performance.now() - begin > readyMillisMax) throw new Error('the agents do not become ready');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return performance.now() - begin;
  },
});
