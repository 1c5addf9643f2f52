/**
 * STS as the broker asks it: the AWS SDK signs and reads, the guarded client of the broker sends. What AWS wrote reaches
 * no sentence, only the code that it gave the failure.
 */
import { STSClient, type STSClientConfig, STSServiceException } from "@aws-sdk/client-sts";
import { EgressFailed } from "../../../egress/egress.ts";
import type { AskIssuer, IssuerRequest, MintFailure } from "../../kind.ts";
import { explainUnasked, refused, unavailable } from "../../minting/mint-failure.ts";

/** Of the broker, or of a session that was made. */
export type AwsIdentity = NonNullable<STSClientConfig["credentials"]>;
/** What the SDK made, signed, of a question. */
interface SignedRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Where STS is asked, and how: one question, one attempt. */
export interface StsTerms {
  readonly region: string;
  /** By default AWS's own of the region. */
  readonly endpoint: string | undefined;
  readonly credentials: AwsIdentity;
  readonly ask: AskIssuer;
}

export function connectToSts({ region, endpoint, credentials, ask }: StsTerms): STSClient {
  return new STSClient({
    region,
    credentials,
    ...(endpoint !== undefined && { endpoint }),
    // Who asked the broker asks again, and knows when.
    maxAttempts: 1,
    requestHandler: {
      handle: async ({ protocol, hostname, port, path, method, headers, body }: SignedRequest) => {
        const origin = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`;
        const request: IssuerRequest = {
          method: asPost(method),
          url: `${origin}${path}`,
          headers,
          body: asText(body),
        };
        const answer = await ask(request);
        const response = {
          statusCode: answer.status,
          headers: { ...answer.headers },
          body: Buffer.from(answer.body),
        };
        return { response };
      },
    },
  });
}

/** For failures of the SDK: of STS's answer, of the network, of the broker's own identity. */
export function explainSts(error: unknown, roleArn: string): MintFailure {
  if (error instanceof EgressFailed) return explainUnasked(error);
  if (!(error instanceof STSServiceException)) {
    const name = error instanceof Error ? error.name : "";
    return /^(CredentialsProviderError|TokenProviderError|ProviderError)$/.test(name)
      ? refused("The broker has no AWS identity: give it one where the AWS SDK looks for it.")
      : unavailable("What answered is not STS: is sts_url right?");
  }
  const status = error.$metadata.httpStatusCode ?? 0;
  if (status >= 500 || status === 429 || /throttl|limitexceeded/i.test(error.name)) {
    return unavailable(`STS is busy, or failed (status ${status}).`);
  }
  const sentence = SENTENCES.get(error.name.replace(/Exception$/, "")) ?? SENTENCES_BY_STATUS.get(status);
  return refused((sentence ?? `STS refused ROLE with status ${status}.`).replace("ROLE", () => roleArn));
}

const STALE_IDENTITY = "The broker's own AWS identity has run out: renew it where the AWS SDK looks for it.";
const UNKNOWN_IDENTITY =
  "STS does not know the broker's own AWS identity: it was deleted, or is another partition's.";
const WRONG_CLOCK = "STS finds the request too old or too new: set the broker's clock.";
const WRONG_VALUE =
  "STS does not take what it was asked for: is session_policy an IAM policy, and ttl no longer than the role's maximum session duration (1 h where one role assumes another)?";

const MAY_NOT =
  "The broker may not assume ROLE: its trust policy must allow the broker's identity sts:AssumeRole, sts:SetSourceIdentity and sts:TagSession (with external_id where it wants one), and the broker's own policies the same.";
const NO_ROLE = "There is no role ROLE.";

/** By AWS's code of the failure, without the `Exception` that some places put after it. */
const SENTENCES: ReadonlyMap<string, string> = new Map([
  ["AccessDenied", MAY_NOT],
  ["MalformedPolicyDocument", "STS cannot read session_policy: it is no valid IAM policy."],
  [
    "PackedPolicyTooLarge",
    "session_policy and the session's tags are too large together, as STS packs them: shorten the policy.",
  ],
  ["ExpiredToken", STALE_IDENTITY],
  [
    "RegionDisabled",
    "STS is not activated in this region for the role's account: activate it, or name another region.",
  ],
  ["InvalidClientTokenId", UNKNOWN_IDENTITY],
  ["UnrecognizedClient", UNKNOWN_IDENTITY],
  ["InvalidAccessKeyId", UNKNOWN_IDENTITY],
  [
    "SignatureDoesNotMatch",
    "STS does not accept the broker's signature: the secret of its AWS identity is wrong, or its clock.",
  ],
  ["RequestExpired", WRONG_CLOCK],
  ["RequestTimeTooSkewed", WRONG_CLOCK],
  ["ValidationError", WRONG_VALUE],
  ["InvalidParameterValue", WRONG_VALUE],
  ["NoSuchEntity", NO_ROLE],
]);
/** For services that speak the protocol and have codes of their own. */
const SENTENCES_BY_STATUS: ReadonlyMap<number, string> = new Map([
  [400, WRONG_VALUE],
  [403, MAY_NOT],
  [404, NO_ROLE],
]);

/** The query protocol has no other. */
function asPost(method: string): "POST" {
  if (method !== "POST") throw new Error(`STS is asked with POST, not ${method}`);
  return method;
}

function asText(body: unknown): string {
  if (typeof body !== "string") throw new Error("the body of a question to STS is no text");
  return body;
}
