// Traces from submission to result, across processes (OpenTelemetry): who submits, the kernel, and the agent each add their spans
// where the process has an SDK, and pass the W3C trace context on with the work where it has none. The context travels in the
// work, which the kernel keeps as it is: no decision depends on it, and it outlives a restart.

import { type Context, context, propagation, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

export interface TraceCarrier {
  readonly traceparent: string;
  readonly tracestate: string;
}

export const tracer = () => trace.getTracer('sira-kernel');

/** As it goes into the work; empty where nothing is traced. */
export function carrierOf(traced: Context): TraceCarrier {
  const carrier = { traceparent: '', tracestate: '' };
  propagation.inject(traced, carrier);
  return carrier;
}

export function contextOf({ traceparent, tracestate }: TraceCarrier): Context {
  if (traceparent === '') return context.active();
  return propagation.extract(context.active(), { traceparent, ...(tracestate === '' ? {} : { tracestate }) });
}

/** Ends the span; with `failure` as one that failed. */
export function endSpan(span: Span, failure = ''): void {
  if (failure !== '') span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
  span.end();
}

interface OpenAttempt {
  readonly attempt: number;
  readonly span: Span;
}

const openMax = 10_000;

/** The kernel's spans: how long a task waited for its first attempt, and each attempt from its dispatch to its result. */
export class AttemptSpans {
  private readonly open = new Map<number, OpenAttempt>();

  /** The context for the agent: that of the attempt's span, begun now unless it is a repetition. */
  dispatched(
    { task, attempt }: { readonly task: number; readonly attempt: number },
    work: TraceCarrier & { readonly function: string },
    agent: string,
    submittedMicros: number | undefined,
  ): TraceCarrier {
    const parent = contextOf(work);
    let opened = this.open.get(task);
    if (opened?.attempt !== attempt) {
      if (opened !== undefined) endSpan(opened.span, 'another attempt has begun');
      else if (submittedMicros !== undefined)
        tracer()
          .startSpan(`wait ${work.function}`, { startTime: new Date(submittedMicros / 1000) }, parent)
          .end();
      const attributes = { 'sira.task': task, 'sira.attempt': attempt, 'sira.agent': agent };
      const span = tracer().startSpan(`attempt ${work.function}`, { kind: SpanKind.PRODUCER, attributes }, parent);
      opened = { attempt, span };
      this.open.delete(task);
      // What nothing can be recorded of need not be kept.
      if (span.isRecording()) this.open.set(task, opened);
      this.bound();
    }
    const own = trace.setSpan(parent, opened.span);
    // Without an SDK here the submitter's context goes through.
    return opened.span.isRecording() ? carrierOf(own) : work;
  }

  /** The kernel has its result. */
  recorded({ task, attempt }: { readonly task: number; readonly attempt: number }): void {
    const opened = this.open.get(task);
    if (opened?.attempt !== attempt) return;
    this.open.delete(task);
    opened.span.end();
  }

  private bound(): void {
    for (const [task, { span }] of this.open) {
      if (this.open.size <= openMax) return;
      this.open.delete(task);
      endSpan(span, 'its end was not seen');
    }
  }
}
