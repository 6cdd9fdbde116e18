// The operators' side of the live kernel over gRPC: reads of its state, and the few things that they may do. Every change is an
// input like any other, and is answered when it is on the disk.

import { type handleUnaryCall, status } from '@grpc/grpc-js';
import { type KernelSettingName, kernelSettingTable } from '../../config/kernel-setting-table.ts';
import type { SettingDefinition } from '../../config/setting.ts';
import type {
  AdministrationServiceServer,
  ChangeSettingResponse,
  SettingDescription,
} from '../../proto/generated/sira/v1/administration_service.ts';
import type { LiveKernel } from '../live-kernel.ts';
import type { GrpcGuard } from '../security/grpc-guard.ts';
import { actorOf } from '../security/identity.ts';
import type { AgentGateway } from './agent-gateway.ts';

export function administrationService(
  live: LiveKernel,
  agents: AgentGateway,
  guard: GrpcGuard,
  version: string,
): AdministrationServiceServer {
  return {
    getState: answer(() => {
      const { registry, scheduler, tasks } = live.kernel.control;
      let ready = 0;
      for (let row = 0; row < registry.size; row++) if (registry.takesWork(row)) ready++;
      return {
        version,
        startedMicros: live.startedMicros,
        nowMicros: live.now(),
        sequence: live.kernel.lastSequence,
        durableSequence: live.durableSequence,
        digest: live.kernel.digest,
        agents: registry.size,
        agentsReady: ready,
        tasks: tasks.size,
        tasksWaiting: scheduler.queueLength,
        placements: live.kernel.counts.placements,
        refusal: live.refusal?.reason ?? '',
      };
    }),
    listAgents: answer(({ first, limit }: { first: number; limit: number }) => {
      const { registry } = live.kernel.control;
      const end = Math.min(registry.size, first + (limit || 1000));
      const listed = [];
      for (let agent = first; agent < end; agent++) {
        listed.push({
          name: registry.names[agent] as string,
          agent,
          incarnation: registry.incarnationOf(agent),
          state: registry.state(agent),
          connected: agents.isConnected(agent),
          load: agents.loads.get(agent),
        });
      }
      return { agents: listed };
    }),
    listSettings: answer(() => ({
      version: live.kernel.settings.version,
      settings: Object.entries(kernelSettingTable).map(([name, setting]) =>
        describe(name, setting, Number(live.kernel.settings.get(name as KernelSettingName))),
      ),
    })),
    changeSetting: (call, callback) => {
      const { name, value, why } = call.request;
      const identity = guard.identityOf(call);
      const who = typeof identity === 'string' ? call.request.who : actorOf(identity, call.request.who);
      void changeSetting(live, { name, value, who, why }).then(
        (response) => callback(null, response),
        (error: Error) => callback({ code: status.UNAVAILABLE, details: error.message }),
      );
    },
    drainAgent: (call, callback) => {
      const { registry } = live.kernel.control;
      const agent = registry.rowOf(call.request.name);
      if (agent < 0) {
        callback({ code: status.NOT_FOUND, details: `no agent is called ${call.request.name}` });
        return;
      }
      const given = live.give({ kind: 'agentDraining', agent, incarnation: registry.incarnationOf(agent) });
      if (!given.ok) callback({ code: status.UNAVAILABLE, details: given.reason });
      else void live.settled().then(() => callback(null, {}));
    },
  };
}

/** Changes one setting; resolves when the change, or its refusal, is on the disk. */
export function changeSetting(
  live: LiveKernel,
  change: { readonly name: string; readonly value: number; readonly who: string; readonly why: string },
): Promise<ChangeSettingResponse> {
  return new Promise((resolve, reject) => {
    const body = { kind: 'settingChanged', ...change } as const;
    const stop = live.listen({
      released: (input) => {
        if (input.body !== body) return;
        stop();
        for (const effect of input.effects)
          if (effect.kind === 'settingAnswered') resolve({ version: effect.version, refusal: effect.refusal });
      },
    });
    const given = live.give(body);
    if (given.ok) return;
    stop();
    reject(new Error(given.reason));
  });
}

function describe(name: string, setting: SettingDefinition, value: number): SettingDescription {
  const { description } = setting;
  const bounds = setting as { readonly min?: number; readonly max?: number; readonly unit?: string };
  return {
    name,
    value,
    minimum: bounds.min ?? 0,
    maximum: bounds.max ?? 0,
    unit: bounds.unit ?? '',
    description,
    appliesAtOnce: true,
  };
}

/** A read, answered at once. */
function answer<Request, Response>(read: (request: Request) => Response): handleUnaryCall<Request, Response> {
  return (call, callback) => callback(null, read(call.request));
}
