/**
 * The broker's endpoints as a proxy sees them: each request with a proof of its own, each answer through its schema.
 * What passes (no answer, 429, 5xx) is tried again for as long as the caller has patience; what the broker refuses is returned.
 */
import type * as z from "zod/mini";
import {
  ID_TOKEN_TYPE,
  REJECTED_FIELD,
  Refusal,
  RecoverResponse,
  RenewResponse,
  SERVERS_FIELD,
  SealResponse,
  SegmentResponse,
  SessionDocument,
  TOKEN_EXCHANGE_GRANT,
  TokenResponse,
  type RecoverRequest,
  type SealRequest,
  type SegmentRequest,
} from "../../broker/contract.ts";
import { type Http, type HttpAnswer, HttpFailed } from "./http-request.ts";
import type { ProofKey } from "./proof-key.ts";
import { type Attempt, type Patience, retry } from "./retry.ts";

const ATTEMPT_TIMEOUT_MS = 10_000;
/** Checking every segment of a long log takes the broker a while. */
const SEAL_TIMEOUT_MS = 30_000;
const MAX_SENTENCE_LENGTH = 1_000;

export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  /** The broker's own words; `error` is its stable code. */
  | { readonly ok: false; readonly status: number; readonly error: string; readonly sentence: string };

/** The broker answered something that is not of the contract: the two sides are of different versions, or it is no broker. */
export class AnswerUnknown extends Error {
  readonly code = "answer_unknown";
}

export interface BrokerClientOptions {
  readonly http: Http;
  /** An origin, without a slash at its end. */
  readonly broker: string;
  /** A fresh subject token whose audience is the broker. */
  readonly subjectToken: () => Promise<string>;
}

export interface Exchange {
  readonly key: ProofKey;
  readonly robot: string | undefined;
  readonly roles: readonly string[];
  /** The servers that this job uses; none: all that its grants reach. */
  readonly servers?: readonly string[];
}

/** RFC 8693. Each attempt has a fresh subject token and the same key: a repeated one finds the same session. */
export function exchangeToken(
  options: BrokerClientOptions,
  exchange: Exchange,
  patience: Patience,
): Promise<Reply<TokenResponse>> {
  const url = `${options.broker}/token`;
  const scope = [
    ...(exchange.robot === undefined ? [] : [`robot:${exchange.robot}`]),
    ...exchange.roles.map((role) => `role:${role}`),
  ].join(" ");
  return persist(
    options,
    async () => {
      const form = new URLSearchParams({
        grant_type: TOKEN_EXCHANGE_GRANT,
        subject_token: await options.subjectToken(),
        subject_token_type: ID_TOKEN_TYPE,
        resource: options.broker,
        ...(scope === "" ? {} : { scope }),
      });
      return {
        method: "POST",
        url,
        headers: {
          "Content-Type": "application/x-www-form-urlencoded",
          DPoP: await exchange.key.prove({ method: "POST", url }),
        },
        body: form.toString(),
        timeoutMs: ATTEMPT_TIMEOUT_MS,
      };
    },
    { answer: TokenResponse, patience },
  );
}

/** What a session's holder may ask for, with its token and its key. */
export interface SessionClient {
  /** `rejected`: the digest of a credential that its server did not accept. */
  read(patience: Patience, rejected?: string): Promise<Reply<SessionDocument>>;
  renew(patience: Patience): Promise<Reply<RenewResponse>>;
  announceSegment(segment: SegmentRequest, patience: Patience): Promise<Reply<SegmentResponse>>;
  seal(seal: SealRequest, patience: Patience): Promise<Reply<SealResponse>>;
}

export function createSessionClient(
  options: BrokerClientOptions,
  holder: {
    readonly key: ProofKey;
    /** The servers that this job uses; none: all. */
    readonly servers?: readonly string[] | undefined;
    readonly accessToken: () => string;
    /** Told what the broker says that the session may do, by digest. */
    readonly onPolicy: (digest: string) => void;
    /** Asked for another token where the broker does not accept this one; false: none is to be had. */
    readonly replaceToken: (patience: Patience) => Promise<boolean>;
  },
): SessionClient {
  const authorize = async (method: "GET" | "POST", path: string) => {
    const url = `${options.broker}${path}`;
    const accessToken = holder.accessToken();
    const headers = {
      Authorization: `DPoP ${accessToken}`,
      DPoP: await holder.key.prove({ method, url, accessToken }),
    };
    return { method, url, headers, timeoutMs: ATTEMPT_TIMEOUT_MS } as const;
  };
  const post = async (path: string, content: unknown) => {
    const request = await authorize("POST", path);
    const headers = { ...request.headers, "Content-Type": "application/json" };
    return { ...request, headers, body: JSON.stringify(content) };
  };
  const ask = <T>(prepare: () => Promise<Parameters<Http>[0]>, expected: Expected<T>): Promise<Reply<T>> =>
    persist(options, prepare, {
      ...expected,
      onTokenRefused: () => holder.replaceToken(expected.patience),
    });
  const hear = async <T extends { readonly policy: string }>(asked: Promise<Reply<T>>): Promise<Reply<T>> => {
    const reply = await asked;
    if (reply.ok) holder.onPolicy(reply.value.policy);
    return reply;
  };
  return {
    read: (patience, rejected) =>
      ask(
        async () => {
          const request = await authorize("GET", "/session");
          const { servers = [] } = holder;
          const headers = {
            ...request.headers,
            ...(servers.length > 0 && { [SERVERS_FIELD]: servers.join(",") }),
            ...(rejected !== undefined && { [REJECTED_FIELD]: rejected }),
          };
          return { ...request, headers };
        },
        { answer: SessionDocument, patience },
      ),
    renew: (patience) =>
      hear(
        ask(async () => post("/session/renew", { subject_token: await options.subjectToken() }), {
          answer: RenewResponse,
          patience,
        }),
      ),
    announceSegment: (segment, patience) =>
      hear(ask(() => post("/session/segments", segment), { answer: SegmentResponse, patience })),
    seal: (seal, patience) =>
      ask(async () => ({ ...(await post("/session/seal", seal)), timeoutMs: SEAL_TIMEOUT_MS }), {
        answer: SealResponse,
        patience,
      }),
  };
}

/** Neither key nor access token: the proxy is gone, and the job proves itself with a fresh subject token. */
export function recoverSession(
  options: BrokerClientOptions,
  recovery: Omit<RecoverRequest, "subject_token">,
  patience: Patience,
): Promise<Reply<RecoverResponse>> {
  return persist(
    options,
    async () => ({
      method: "POST",
      url: `${options.broker}/session/recover`,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...recovery, subject_token: await options.subjectToken() }),
      timeoutMs: SEAL_TIMEOUT_MS,
    }),
    { answer: RecoverResponse, patience },
  );
}

interface Expected<T> {
  readonly answer: z.ZodMiniType<T>;
  readonly patience: Patience;
  /** True: the next attempt has another token, or may be answered by a broker that knows this one. */
  readonly onTokenRefused?: () => Promise<boolean>;
}

function persist<T>(
  options: BrokerClientOptions,
  prepare: () => Promise<Parameters<Http>[0]>,
  expected: Expected<T>,
): Promise<Reply<T>> {
  const attempt = async (isRepeated = false): Promise<Attempt<Reply<T>>> => {
    const request = await prepare();
    let answer: HttpAnswer;
    try {
      answer = await options.http(request);
    } catch (cause) {
      if (cause instanceof HttpFailed) {
        return { settled: false, reason: `it could not be reached (${cause.message})` };
      }
      throw cause;
    }
    if (answer.status === 429 || answer.status >= 500) {
      return { settled: false, reason: `it answered: ${describeRefusal(answer).sentence}` };
    }
    const reply = readReply(answer, expected.answer);
    // Its proof was too old when it arrived, as on a runner that stood still meanwhile: the next one is fresh.
    if (!reply.ok && reply.error === "invalid_dpop_proof" && !isRepeated) return attempt(true);
    if (!reply.ok && reply.error === "invalid_token" && (await expected.onTokenRefused?.()) === true) {
      return isRepeated ? { settled: false, reason: `it answered: ${reply.sentence}` } : attempt(true);
    }
    return { settled: true, value: reply };
  };
  return retry(() => attempt(), expected.patience);
}

/** A body of the expected form is an answer whatever its status: 409 `segments_missing` is one. */
function readReply<T>(answer: HttpAnswer, schema: z.ZodMiniType<T>): Reply<T> {
  const parsed = schema.safeParse(parseJson(answer.body));
  if (parsed.success && (answer.status < 300 || answer.status === 409))
    return { ok: true, value: parsed.data };
  if (answer.status < 400) {
    throw new AnswerUnknown(
      "The broker's answer is not one that this version of the Action knows. Check that `broker` is a Lanyard broker, and that the Action and the broker are of the same version.",
      { cause: parsed.error },
    );
  }
  return { ok: false, status: answer.status, ...describeRefusal(answer) };
}

function describeRefusal(answer: HttpAnswer): { error: string; sentence: string } {
  const refusal = Refusal.safeParse(parseJson(answer.body));
  if (!refusal.success) return { error: "unknown", sentence: `It answered with status ${answer.status}.` };
  const { error, error_description, reference } = refusal.data;
  const sentence = error_description.slice(0, MAX_SENTENCE_LENGTH);
  return { error, sentence: reference === undefined ? sentence : `${sentence} Reference: ${reference}` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
