/**
 * What a server sends back of the credential that it was shown goes no further, wherever it stands: in a result, a list,
 * a notification, an error, the id of an event, the name of a session. It holds whatever the grants say about secrets
 * in results.
 */
import type { Redactor } from "../../audit/redaction/redaction.ts";
import type { ServerMessage, ServerRequest } from "../messages/server-message.ts";
import type { Carriage, Loss, Sink, Upstream } from "../upstream/upstream.ts";
import type { Inspection, Inspector } from "./inspection.ts";

export interface Reflections {
  /** It knows the credentials, and nothing else. */
  readonly redactor: Redactor;
  /** Of the same, everywhere. */
  readonly inspector: Inspector;
}

interface ReflectionGuardOptions extends Reflections {
  /** There was something to redact. */
  readonly reflected: () => void;
}

const LOSSES = {
  unreadable: { code: "unreadable", detail: "not a message" },
  too_much: { code: "too_costly", detail: "too much to inspect" },
} as const satisfies Record<string, Loss>;
const REDACT: Inspection = { secrets: "redact", text: "pass" };

export function guardReflections(upstream: Upstream, options: ReflectionGuardOptions): Upstream {
  const { redactor, reflected } = options;
  const guarded = (sink: Sink): Sink => guardSink(sink, options);
  return {
    send: (forward, sink, opensSession) =>
      upstream.send(forward, guarded(sink), (session) => {
        // Whoever keeps the name of it keeps the credential: what the server opened is nothing that could be gone on with.
        if (redactor.redactText(session).count === 0) opensSession(session);
        else reflected();
      }),
    openStream: (request, sink) => upstream.openStream(request, guarded(sink)),
    answer: (from, text) => upstream.answer?.(from, text),
    endSession: (session, revision, agent) => upstream.endSession(session, revision, agent),
    close: () => upstream.close(),
  };
}

function guardSink(sink: Sink, { redactor, inspector, reflected }: ReflectionGuardOptions): Sink {
  const clean = <M extends ServerMessage>(message: M): M | Loss => {
    const inspected = inspector.inspect(message, REDACT);
    if (inspected === undefined) return message;
    if (!inspected.ok) return LOSSES[inspected.fault];
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
      if (!("code" in cleaned)) return sink.message(cleaned, carry(carriage));
      sink.failed(cleaned);
      return undefined;
    },
    filler: (carriage) => sink.filler(carry(carriage)),
    status: (status) => sink.status(status),
    ended: () => sink.ended(),
    failed: (loss) => sink.failed(loss),
    ...(sink.asked !== undefined && {
      asked: (request: ServerRequest, asking: Parameters<NonNullable<Sink["asked"]>>[1]) => {
        const cleaned = clean(request);
        if (!("code" in cleaned)) return sink.asked?.(cleaned, asking);
        sink.failed(cleaned);
        return undefined;
      },
    }),
  };
}
