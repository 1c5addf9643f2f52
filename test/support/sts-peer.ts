/**
 * AWS STS as far as assuming roles goes: a real HTTP server that checks signatures, trust policies, names, tags, sizes
 * and durations as the query protocol of 2011-06-15 does, and answers in its XML.
 */
import { randomBytes } from "node:crypto";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { signatureOf } from "./aws-signature.ts";

interface PeerRole {
  /** Actions that its trust policy allows to the broker's identity. */
  readonly allows: readonly ("sts:AssumeRole" | "sts:SetSourceIdentity" | "sts:TagSession")[];
  readonly externalId?: string;
  readonly maxSeconds: number;
}
interface PeerIdentity {
  readonly secretKey: string;
  readonly sessionToken?: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number;
}
interface PeerStsSession {
  readonly arn: string;
  readonly name: string;
  readonly sourceIdentity: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly transitive: readonly string[];
  readonly policy: string | undefined;
  readonly seconds: number;
}

export interface StsPeer {
  readonly endpoint: string;
  readonly region: string;
  /** By access key. */
  readonly identities: Map<string, PeerIdentity>;
  /** The broker's. */
  readonly identity: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** By ARN. */
  readonly roles: Map<string, PeerRole>;
  /** By access key. */
  readonly sessions: Map<string, PeerStsSession>;
  /** Bytes of policy and tags together; AWS packs them in a way that it does not publish. */
  packedBytes: number;
  regionDisabled: boolean;
  /** How far its clock is from this machine's. */
  clockOffsetMs: number;
  fail: ((response: ServerResponse) => boolean) | undefined;
  close(): Promise<void>;
}

class Failure extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const NAME = /^[\w+=,.@-]{2,64}$/;
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;
const CLOCK_TOLERANCE_MS = 15 * 60_000;
const REGION = "eu-central-1";

export async function startStsPeer(): Promise<StsPeer> {
  const server = createServer((request, response) => {
    void answer(peer, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const identity = {
    accessKeyId: "AKIABROKEREXAMPLE000",
    secretAccessKey: randomBytes(30).toString("base64"),
  };
  const peer: StsPeer = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: REGION,
    identities: new Map([[identity.accessKeyId, { secretKey: identity.secretAccessKey }]]),
    identity,
    roles: new Map(),
    sessions: new Map(),
    packedBytes: 2_048,
    regionDisabled: false,
    clockOffsetMs: 0,
    fail: undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return peer;
}

async function answer(peer: StsPeer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = Buffer.concat(await Array.fromAsync(request)).toString("utf8");
  if (peer.fail?.(response) === true) return;
  const send = (status: number, xml: string): void => {
    // Clients whose clock is wrong go by it.
    const date = new Date(Date.now() + peer.clockOffsetMs).toUTCString();
    response.writeHead(status, { "content-type": "text/xml", "x-amzn-requestid": "peer", date });
    response.end(xml);
  };
  try {
    const caller = checkSignature(peer, request, body);
    const parameters = new URLSearchParams(body);
    if (parameters.get("Version") !== "2011-06-15")
      throw new Failure(400, "NoSuchVersion", "no such version");
    const action = parameters.get("Action") ?? "";
    const result = operate(peer, { action, parameters, caller });
    send(
      200,
      `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${result}</${action}Result><ResponseMetadata><RequestId>peer</RequestId></ResponseMetadata></${action}Response>`,
    );
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { status, code, message } = error;
    send(
      status,
      `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>peer</RequestId></ErrorResponse>`,
    );
  }
}

/** The access key of whoever signed. */
function checkSignature(
  peer: StsPeer,
  { method = "", url = "", headers }: IncomingMessage,
  body: string,
): string {
  const [, accessKey = "", scope = "", names = "", signature = ""] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)$/.exec(
      headers.authorization ?? "",
    ) ?? [];
  if (signature === "")
    throw new Failure(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
  const known = peer.identities.get(accessKey);
  if (known === undefined || known.sessionToken !== headers["x-amz-security-token"]) {
    throw new Failure(403, "InvalidClientTokenId", "The security token included in the request is invalid.");
  }
  const signed = names.split(";").map((name): [string, string] => [name, String(headers[name])]);
  const parts = {
    method,
    path: url,
    body,
    headers: Object.fromEntries(signed),
    scope,
    secretKey: known.secretKey,
  };
  const [day = "", region, service] = scope.split("/");
  const date = String(headers["x-amz-date"]);
  const isWhole = names.includes("host") && date.startsWith(day) && region === REGION && service === "sts";
  if (!isWhole || signatureOf(parts) !== signature) {
    throw new Failure(403, "SignatureDoesNotMatch", `The canonical string should have been for ${accessKey}`);
  }
  const at = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..)Z$/, "$1-$2-$3:$4:$5Z"));
  const now = Date.now() + peer.clockOffsetMs;
  if (!(Math.abs(at - now) <= CLOCK_TOLERANCE_MS))
    throw new Failure(403, "RequestExpired", "Request has expired");
  if ((known.expiresAt ?? Number.POSITIVE_INFINITY) <= now) {
    throw new Failure(403, "ExpiredToken", "The security token included in the request is expired");
  }
  return accessKey;
}

interface Question {
  readonly action: string;
  readonly parameters: URLSearchParams;
  readonly caller: string;
}

function operate(peer: StsPeer, { action, parameters, caller }: Question): string {
  if (peer.regionDisabled) {
    throw new Failure(
      403,
      "RegionDisabledException",
      "STS is not activated in this region for account:111122223333.",
    );
  }
  if (action === "GetCallerIdentity") {
    const arn = peer.sessions.get(caller)?.arn ?? "arn:aws:iam::111122223333:user/broker";
    return `<Arn>${arn}</Arn><UserId>AIDA</UserId><Account>${arn.split(":")[4]}</Account>`;
  }
  if (action !== "AssumeRole") throw new Failure(400, "InvalidAction", "Could not find operation");
  const roleArn = parameters.get("RoleArn") ?? "";
  const session = readSession(parameters, roleArn);
  checkTrust(peer.roles.get(roleArn), session, { roleArn, externalId: parameters.get("ExternalId") });
  const packed = Buffer.byteLength(JSON.stringify([session.policy ?? "", session.tags]));
  if (packed > peer.packedBytes) {
    const percent = Math.ceil((packed / peer.packedBytes) * 100);
    throw new Failure(
      400,
      "PackedPolicyTooLarge",
      `Packed size of session tags consumes ${percent}% of allotted space.`,
    );
  }
  // AWS's own have no 0: what has one is never taken for a key that has to be redacted, and tests can read it.
  const accessKey = `ASIA0${randomBytes(8).toString("hex").slice(1).toUpperCase()}`;
  const [secretKey, sessionToken] = [randomBytes(30).toString("base64"), randomBytes(240).toString("base64")];
  const expiresAt = Math.floor((Date.now() + peer.clockOffsetMs) / 1000 + session.seconds) * 1000;
  peer.identities.set(accessKey, { secretKey, sessionToken, expiresAt });
  peer.sessions.set(accessKey, session);
  const expiration = new Date(expiresAt).toISOString().replace(".000", "");
  const source =
    session.sourceIdentity === undefined ? "" : `<SourceIdentity>${session.sourceIdentity}</SourceIdentity>`;
  return `${source}<AssumedRoleUser><AssumedRoleId>AROA:${session.name}</AssumedRoleId><Arn>${session.arn}</Arn></AssumedRoleUser><Credentials><AccessKeyId>${accessKey}</AccessKeyId><SecretAccessKey>${secretKey}</SecretAccessKey><SessionToken>${sessionToken}</SessionToken><Expiration>${expiration}</Expiration></Credentials><PackedPolicySize>${Math.floor((packed / peer.packedBytes) * 100)}</PackedPolicySize>`;
}

function readSession(parameters: URLSearchParams, roleArn: string): PeerStsSession {
  const list = (prefix: string, suffix: string): string[] =>
    Array.from({ length: 60 }, (_, index) => parameters.get(`${prefix}.member.${index + 1}${suffix}`)).filter(
      (value) => value !== null,
    );
  const [name, sourceIdentity] = [parameters.get("RoleSessionName") ?? "", parameters.get("SourceIdentity")];
  const [keys, values] = [list("Tags", ".Key"), list("Tags", ".Value")];
  const seconds = Number(parameters.get("DurationSeconds") ?? 3_600);
  const policy = parameters.get("Policy");
  const areTags =
    keys.every((key) => TAG_KEY.test(key) && !/^aws:/i.test(key)) && keys.length === values.length;
  const isSource = sourceIdentity === null || (NAME.test(sourceIdentity) && !/^aws:/i.test(sourceIdentity));
  if (!NAME.test(name) || !isSource)
    throw invalid("roleSessionName or sourceIdentity failed to satisfy constraint");
  if (!areTags || !values.every((value) => TAG_VALUE.test(value)) || keys.length > 50) throw invalid("tags");
  if (!Number.isInteger(seconds) || seconds < 900 || seconds > 43_200) throw invalid("durationSeconds");
  if (policy !== null && policy.length > 2_048) throw invalid("policy");
  if (policy !== null && !isPolicy(policy))
    throw new Failure(400, "MalformedPolicyDocument", "Syntax errors in policy.");
  const transitive = list("TransitiveTagKeys", "");
  if (transitive.some((key) => !keys.includes(key))) throw invalid("transitiveTagKeys");
  const [, account = "", role = ""] = /^arn:aws:iam::([0-9]+):role\/(?:.*\/)?([^/]+)$/.exec(roleArn) ?? [];
  return {
    arn: `arn:aws:sts::${account}:assumed-role/${role}/${name}`,
    name,
    sourceIdentity: sourceIdentity ?? undefined,
    tags: Object.fromEntries(keys.map((key, index) => [key, values[index] ?? ""])),
    transitive,
    policy: policy ?? undefined,
    seconds,
  };
}

function checkTrust(
  role: PeerRole | undefined,
  { sourceIdentity, tags, seconds }: PeerStsSession,
  { roleArn, externalId }: { readonly roleArn: string; readonly externalId: string | null },
): void {
  const needed = [
    "sts:AssumeRole" as const,
    ...(sourceIdentity === undefined ? [] : ["sts:SetSourceIdentity" as const]),
    ...(Object.keys(tags).length === 0 ? [] : ["sts:TagSession" as const]),
  ];
  const missing =
    role === undefined ? "sts:AssumeRole" : needed.find((action) => !role.allows.includes(action));
  if (role === undefined || missing !== undefined || (role.externalId ?? externalId) !== externalId) {
    const denied = missing ?? "sts:AssumeRole";
    throw new Failure(
      403,
      "AccessDenied",
      `User: arn:aws:iam::111122223333:user/broker is not authorized to perform: ${denied} on resource: ${roleArn}`,
    );
  }
  if (seconds > role.maxSeconds)
    throw invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
}

function isPolicy(text: string): boolean {
  try {
    const { Version, Statement } = JSON.parse(text);
    return ["2012-10-17", "2008-10-17"].includes(Version) && Statement !== undefined;
  } catch {
    return false;
  }
}

const invalid = (message: string): Failure => new Failure(400, "ValidationError", message);
const escapeXml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
