/**
 * The HTTP contract between the broker and a proxy: what both sides send, nothing else.
 * Every object is strict: a side that does not understand a member must not act as if it were not there.
 */
import * as z from "zod/mini";
import { SegmentEntry } from "../audit/manifest.ts";
import { Digest, Timestamp, Workload } from "../audit/record.ts";
import { ServerLimits } from "../policies/server-limits.ts";
import { SessionPolicy } from "../policies/session-policy.ts";

/** RFC 8693, section 2.1, and RFC 7523, section 4. */
export const TOKEN_EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
export const JWT_BEARER_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
export const ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token";
const JWT_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:jwt";
export const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";

/** The largest recovered tail that is accepted, before compression; a proxy stops forwarding before it holds more unsent. */
export const MAX_UNSENT_BYTES = 32 * 1024 * 1024;

const Requested = {
  /** RFC 8707: the broker. */
  resource: z.string(),
  /** Space-separated: at most one `robot:owner/repo/name`, any number of `role:name`. */
  scope: z.optional(z.string()),
};

/**
 * `POST /token`, form-encoded, with a `DPoP` header: the same exchange in two dialects. Not strict, unlike the rest:
 * RFC 6749, section 3.2, wants parameters that are not recognised ignored.
 */
export const TokenRequest = z.discriminatedUnion("grant_type", [
  z.object({
    grant_type: z.literal(TOKEN_EXCHANGE_GRANT),
    subject_token: z.string(),
    subject_token_type: z.enum([ID_TOKEN_TYPE, JWT_TOKEN_TYPE]),
    requested_token_type: z.optional(z.literal(ACCESS_TOKEN_TYPE)),
    ...Requested,
  }),
  z.object({ grant_type: z.literal(JWT_BEARER_GRANT), assertion: z.string(), ...Requested }),
]);

/** The answer to a token exchange; that to an assertion is the same without `issued_token_type`. */
export const TokenResponse = z.strictObject({
  access_token: z.string(),
  issued_token_type: z.literal(ACCESS_TOKEN_TYPE),
  token_type: z.literal("DPoP"),
  /** Seconds. */
  expires_in: z.int(),
  scope: z.string(),
});
export type TokenResponse = z.infer<typeof TokenResponse>;

/** Every refusal of the broker. `reference` is what an operator looks up; it says nothing by itself. */
export const Refusal = z.strictObject({
  error: z.string(),
  error_description: z.string(),
  reference: z.optional(z.string()),
});
export type Refusal = z.infer<typeof Refusal>;

/** Where the registry sets them; the proxy's defaults hold for the rest. */
const limits = z.optional(ServerLimits);
/**
 * What was minted for this session alone, for the proxy to present; or why there is nothing to present. It is replaced
 * before `expires_at`: whoever asks for the document again then gets the next one.
 */
export const SessionCredential = z.discriminatedUnion("status", [
  z.strictObject({
    status: z.literal("minted"),
    /** Its name in the documents. */
    id: z.string(),
    digest: Digest,
    expires_at: z.optional(Timestamp),
    /** Of requests to a server behind HTTP. */
    headers: z.record(z.string(), z.string()),
    /** Of a server that the proxy starts: complete, and to be written over what the server has. */
    env: z.record(z.string(), z.string()),
    /** What must never be seen of it. */
    secrets: z.array(z.string()),
  }),
  z.strictObject({ status: z.literal("failed"), id: z.string(), sentence: z.string() }),
]);
export type SessionCredential = z.infer<typeof SessionCredential>;
const credential = z.optional(SessionCredential);
/** Header field of `GET /session`: the digest of a credential that its server answered with 401. */
export const REJECTED_FIELD = "lanyard-rejected";
/** Header field of `GET /session`: the servers that the job uses, separated by commas; nothing is minted for others. Absent: all. */
export const SERVERS_FIELD = "lanyard-servers";

const HttpServer = z.strictObject({ transport: z.literal("http"), url: z.string(), credential, limits });
/** Header fields of a relayed request: the agent's name, and the ids of its calls as the runner's log has them. */
export const RELAY_AGENT_FIELD = "lanyard-agent";
export const RELAY_CALL_FIELD = "lanyard-call";

/** The calls go to `/mcp/<server>` of the broker, which reaches the server with its credential. */
const RelayServer = z.strictObject({ transport: z.literal("relay"), limits });
const StdioServer = z.strictObject({
  transport: z.literal("stdio"),
  command: z.array(z.string()).check(z.minLength(1)),
  /** `{runner_temp}` and `{workspace}` are filled in by the proxy, in `command` and `env` alike. */
  env: z.record(z.string(), z.string()),
  start: z.enum(["eager", "lazy"]),
  credential,
  limits,
});
export const SessionServer = z.discriminatedUnion("transport", [HttpServer, RelayServer, StdioServer]);
export type SessionServer = z.infer<typeof SessionServer>;

/** `GET /session`. */
export const SessionDocument = z.strictObject({
  session: z.string(),
  robot: z.string(),
  roles: z.array(z.string()),
  workload: Workload,
  claims: z.record(z.string(), z.json()),
  expires_at: Timestamp,
  /** No renewal reaches beyond it. */
  max_expires_at: Timestamp,
  policy: z.strictObject({ digest: Digest, source: SessionPolicy }),
  servers: z.record(z.string(), SessionServer),
  audit: z.strictObject({
    /** A segment is closed at this size, before compression, or after this time, whichever is first. */
    segment_bytes: z.int().check(z.positive()),
    segment_interval_ms: z.int().check(z.positive()),
    /** The session's salt of argument digests, base64url; never in a log. */
    salt: z.string(),
  }),
  review_url: z.string(),
});
export type SessionDocument = z.infer<typeof SessionDocument>;

/**
 * The digest of what the session may do now. Where it is not what the proxy decides by, the session has lost something
 * since, and `GET /session` says what is left.
 */
const PolicyNow = Digest;

/** `POST /session/renew`: a fresh subject token of the same workload, the same key. */
export const RenewRequest = z.strictObject({ subject_token: z.string() });
export const RenewResponse = z.strictObject({
  access_token: z.string(),
  /** Seconds. */
  expires_in: z.int(),
  policy: PolicyNow,
});
export type RenewResponse = z.infer<typeof RenewResponse>;

/** `POST /session/segments`: repeated with the same content it gives the same answer. */
export const SegmentRequest = z.strictObject({
  /** Counted from 1 without a gap. */
  segment: z.int().check(z.positive()),
  bytes: z.int().check(z.positive()),
  sha256: Digest,
  /** Base64, as `Content-MD5` wants it: the one body checksum that every S3 verifies. */
  md5: z.string().check(z.regex(/^[A-Za-z0-9+/]{22}==$/)),
  first_seq: SegmentEntry.shape.first_seq,
  last_seq: SegmentEntry.shape.last_seq,
  prev: Digest,
  head: Digest,
});
export type SegmentRequest = z.infer<typeof SegmentRequest>;

export const SegmentResponse = z.strictObject({
  /** Compact JWS over `CheckpointClaims`. */
  checkpoint: z.string(),
  /** A `PUT` with exactly these headers; good once, for a few minutes. */
  upload: z.strictObject({ url: z.string(), headers: z.record(z.string(), z.string()) }),
  policy: PolicyNow,
});
export type SegmentResponse = z.infer<typeof SegmentResponse>;

/** `POST /session/seal`: ends the session; the log is complete up to and including `last_seq`. */
export const SealRequest = z.strictObject({
  segments: z.int().check(z.positive()),
  last_seq: SegmentEntry.shape.last_seq,
  head: Digest,
});
export type SealRequest = z.infer<typeof SealRequest>;

/** 200 `sealed`; 409 `segments_missing` names what has to be uploaded again before sealing can succeed. */
export const SealResponse = z.discriminatedUnion("status", [
  z.strictObject({ status: z.literal("sealed"), review_url: z.string() }),
  z.strictObject({ status: z.literal("segments_missing"), segments: z.array(z.int()) }),
]);
export type SealResponse = z.infer<typeof SealResponse>;

/** `POST /session/recover`: no key, no access token; the workload is proved by a fresh subject token. */
export const RecoverRequest = z.strictObject({
  session: z.string(),
  subject_token: z.string(),
  /** The records after the last checkpoint in the spool, in order: JSON lines, zstd, base64. Empty when there are none. */
  tail: z.string(),
});
export type RecoverRequest = z.infer<typeof RecoverRequest>;

/** `sealed`: the proxy had sealed the log before it ended, so there is nothing to recover. */
export const RecoverResponse = z.discriminatedUnion("status", [
  z.strictObject({
    status: z.literal("recovered"),
    /** Records that were stored apart, and whether they continue the chain that the broker had witnessed. */
    records: z.int(),
    continues_chain: z.boolean(),
    review_url: z.string(),
  }),
  z.strictObject({ status: z.literal("sealed"), review_url: z.string() }),
]);
export type RecoverResponse = z.infer<typeof RecoverResponse>;
