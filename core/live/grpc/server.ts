// The gRPC server of the live kernel: puts the services behind one address and hands them every durable input. Limits are those
// of one message and of the streams; who may speak is security/grpc-guard.ts's to say.

import { Server, status } from '@grpc/grpc-js';
import { SiraError } from '../../base/errors.ts';
import { GRPCInferenceServiceService } from '../../proto/generated/inference/open_inference_grpc.ts';
import { AdministrationServiceService } from '../../proto/generated/sira/v1/administration_service.ts';
import { type AgentServiceServer, AgentServiceService } from '../../proto/generated/sira/v1/agent_service.ts';
import {
  type SubmissionServiceServer,
  SubmissionServiceService,
} from '../../proto/generated/sira/v1/submission_service.ts';
import { type TopicServiceServer, TopicServiceService } from '../../proto/generated/sira/v1/topic_service.ts';
import { InferenceDesk } from '../inference/inference-desk.ts';
import type { LiveKernel } from '../live-kernel.ts';
import type { LiveTopics } from '../live-topics.ts';
import { GrpcGuard } from '../security/grpc-guard.ts';
import type { KernelSecurity } from '../security/kernel-security.ts';
import { TaskDesk } from '../tasks/task-desk.ts';
import { administrationService } from './administration.ts';
import { AgentGateway } from './agent-gateway.ts';
import { inferenceService } from './inference-service.ts';
import { LinkDesk, type LinkDeskOptions } from './link-desk.ts';
import { answerMessage, queryOf } from './messages.ts';
import { SubmissionGateway } from './submission-gateway.ts';
import { TopicGateway } from './topic-gateway.ts';
import { unarySubmission } from './unary-submission.ts';

export interface GrpcServerOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly address: string;
  readonly messageBytesMax: number;
  readonly heartbeatBatchMicros: number;
  readonly version: string;
  readonly topics: LiveTopics;
  /** How links are measured, for tests. */
  readonly links?: LinkDeskOptions | undefined;
  /** Who may speak, how much, and by which certificates. */
  readonly security: KernelSecurity;
}

/** A kernel that takes no inputs listens all the same, and says why. */
const openMillis = 2000;

export class GrpcServer {
  readonly agents: AgentGateway;
  readonly submissions: SubmissionGateway;
  readonly topics: TopicGateway;
  /** How good the links to agents and submitters are. */
  readonly links: LinkDesk;
  /** Clients of the Open Inference Protocol. */
  readonly inference: InferenceDesk;
  /** Clients that hold no stream. */
  readonly tasks: TaskDesk;
  /** Where it listens. */
  readonly address: string;
  private readonly server: Server;
  private readonly stopListening: () => void;

  private constructor(
    server: Server,
    address: string,
    agents: AgentGateway,
    submissions: SubmissionGateway,
    topics: TopicGateway,
    links: LinkDesk,
    inference: InferenceDesk,
    tasks: TaskDesk,
    stopListening: () => void,
  ) {
    this.server = server;
    this.address = address;
    this.agents = agents;
    this.submissions = submissions;
    this.topics = topics;
    this.links = links;
    this.inference = inference;
    this.tasks = tasks;
    this.stopListening = stopListening;
  }

  /** Throws SIRA_ADDRESS_TAKEN if it cannot listen there. */
  static async start(live: LiveKernel, options: GrpcServerOptions): Promise<GrpcServer> {
    const guard = new GrpcGuard(options.security);
    const links = new LinkDesk(() => live.now(), live.options.logger, options.links);
    const agents = new AgentGateway(live, guard, links, {
      heartbeatBatchMicros: options.heartbeatBatchMicros,
      agentsPerStreamMax: 100_000,
      outgoingMax: 16_384,
    });
    const submissions = new SubmissionGateway(live, guard, links, { outgoingMax: 16_384, pendingMax: 4096 });
    const topics = new TopicGateway(options.topics, guard, links, () => live.now(), 16_384);
    const server = new Server({
      'grpc.max_receive_message_length': options.messageBytesMax,
      'grpc.max_send_message_length': options.messageBytesMax,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 10_000,
      'grpc.max_concurrent_streams': options.security.limits.streamsMax,
      // Who connects and asks for nothing.
      'grpc.max_connection_idle_ms': 300_000,
      interceptors: [guard.interceptor],
    });
    const agentService: AgentServiceServer = {
      connect: (stream) => agents.attach(stream),
      discover: (call, callback) => {
        try {
          callback(null, { answer: answerMessage(live.kernel.discover(queryOf(call.request.query))) });
        } catch (error) {
          callback({ code: status.INVALID_ARGUMENT, details: (error as Error).message });
        }
      },
    };
    const tasks = new TaskDesk(live, submissions);
    const submissionService: SubmissionServiceServer = {
      attach: (stream) => submissions.attach(stream),
      ...unarySubmission(tasks, guard),
    };
    server.addService(AgentServiceService, agentService);
    server.addService(SubmissionServiceService, submissionService);
    const topicService: TopicServiceServer = { join: (stream) => topics.attach(stream) };
    server.addService(TopicServiceService, topicService);
    server.addService(AdministrationServiceService, administrationService(live, agents, guard, options.version));
    const inference = new InferenceDesk(live, agents, submissions, options.version);
    server.addService(GRPCInferenceServiceService, inferenceService(inference, live.options.logger));
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(options.address, options.security.grpcCredentials(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(new SiraError('SIRA_ADDRESS_TAKEN', `${options.address}: ${error.message}`));
      });
    }).catch((error: unknown) => {
      inference.stop();
      tasks.stop();
      agents.close();
      topics.close();
      links.close();
      throw error;
    });
    const host = options.address.slice(0, options.address.lastIndexOf(':'));
    const stopListening = live.listen({
      released: (input) => {
        for (const effect of input.effects) agents.carryOut(effect);
        submissions.released(input);
      },
    });
    await Promise.race([
      Promise.all([inference.opened, tasks.opened]),
      new Promise((resolve) => setTimeout(resolve, openMillis).unref()),
    ]);
    return new GrpcServer(
      server,
      `${host}:${port}`,
      agents,
      submissions,
      topics,
      links,
      inference,
      tasks,
      stopListening,
    );
  }

  /** Ends all streams with a word, then listens no more. */
  async stop(): Promise<void> {
    this.inference.stop();
    this.tasks.stop();
    this.agents.close();
    this.submissions.close();
    this.topics.close();
    this.links.close();
    this.stopListening();
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => this.server.forceShutdown(), 1000);
      this.server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
  }
}
