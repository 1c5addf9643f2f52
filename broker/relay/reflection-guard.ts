/**
 * What a server sends back of the credential that it was shown goes no further, wherever it stands: in a result, a list,
 * a notification, an error, the id of an event. It holds whatever the grants say about secrets in results.
 */
import type { Redactor } from "../../audit/redaction/redaction.ts";
import type { Inspection, Inspector } from "../../proxy/inspection/inspection.ts";
import type { ServerMessage, ServerRequest } from "../../proxy/messages/server-message.ts";
import type { Carriage, Sink, Upstream } from "../../proxy/upstream/upstream.ts";

export interface ReflectionGuardOptions {
  /** It knows the credentials, and nothing else. */
  readonly redactor: Redactor;
  readonly inspector: Inspector;
  /** There was something to redact. */
  readonly reflected: () => void;
}

const REDACT: Inspection = { secrets: "redact", text: "pass" };

export function guardReflections(upstream: Upstream, options: ReflectionGuardOptions): Upstream {
  const guarded = (sink: Sink): Sink => guardSink(sink, options);
  return {
    send: (forward, sink, opensSession) => upstream.send(forward, guarded(sink), opensSession),
    openStream: (request, sink) => upstream.openStream(request, guarded(sink)),
    answer: (from, text) => upstream.answer?.(from, text),
    endSession: (session, revision, agent) => upstream.endSession(session, revision, agent),
    close: () => upstream.close(),
  };
}

function guardSink(sink: Sink, { redactor, inspector, reflected }: ReflectionGuardOptions): Sink {
  /** Undefined for one that cannot be looked at. */
  const clean = <M extends ServerMessage>(message: M): M | undefined => {
    const inspected = inspector.inspect(message, REDACT);
    if (inspected === undefined) return message;
    if (!inspected.ok) return undefined;
    if (inspected.findings.redactions.size > 0) reflected();
    return inspected.message;
  };
  const carry = (carriage: Carriage): Carriage => {
    const { eventId } = carriage;
    if (eventId === undefined || redactor.redactText(eventId).count === 0) return carriage;
    reflected();
    return { ...carriage, eventId: undefined };
  };
  return {
    opened: () => sink.opened(),
    message: (message, carriage) => {
      const cleaned = clean(message);
      if (cleaned !== undefined) return sink.message(cleaned, carry(carriage));
      sink.failed({ code: "unreadable", detail: "not a message" });
      return undefined;
    },
    filler: (carriage) => sink.filler(carry(carriage)),
    status: (status) => sink.status(status),
    ended: () => sink.ended(),
    failed: (loss) => sink.failed(loss),
    ...(sink.asked !== undefined && {
      asked: (request: ServerRequest, asking: Parameters<NonNullable<Sink["asked"]>>[1]) => {
        const cleaned = clean(request);
        return cleaned === undefined ? undefined : sink.asked?.(cleaned, asking);
      },
    }),
  };
}
