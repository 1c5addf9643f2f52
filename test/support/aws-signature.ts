/**
 * AWS Signature Version 4, written down apart from the SDK: for peers that check what the SDK signed, and for requests
 * that no client of a test makes. Queries are not signed: what is asked stands in the body.
 */
import { createHash, createHmac } from "node:crypto";

export interface SignedParts {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** Those that are signed, names in lower case, with `host` and `x-amz-date`. */
  readonly headers: Readonly<Record<string, string>>;
  /** `20261122/eu-central-1/sts/aws4_request`. */
  readonly scope: string;
  readonly secretKey: string;
}

export function signatureOf({ method, path, body, headers, scope, secretKey }: SignedParts): string {
  const names = Object.keys(headers).sort();
  const canonical = [
    method,
    path,
    "",
    ...names.map((name) => `${name}:${headers[name]?.trim().replaceAll(/ +/g, " ")}`),
    "",
    names.join(";"),
    sha256(body),
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sha256(canonical)].join("\n");
  const key = scope
    .split("/")
    .reduce((before: string | Buffer, part) => hmac(before, part), `AWS4${secretKey}`);
  return hmac(key, toSign).toString("hex");
}

export interface AwsQuestion {
  readonly endpoint: string;
  readonly region: string;
  readonly service: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** POSTs the parameters as AWS's query protocol has them. */
export async function askAws(question: AwsQuestion): Promise<Response> {
  const { endpoint, region, service, accessKey, secretKey, parameters } = question;
  const date = new Date().toISOString().replaceAll(/[-:]|\.[0-9]+/g, "");
  const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
  const body = new URLSearchParams(parameters).toString();
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    host: new URL(endpoint).host,
    "x-amz-content-sha256": sha256(body),
    "x-amz-date": date,
  };
  const signature = signatureOf({ method: "POST", path: "/", body, headers, scope, secretKey });
  const names = Object.keys(headers).sort().join(";");
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return fetch(`${endpoint}/`, { method: "POST", body, headers: { ...headers, authorization } });
}

const sha256 = (data: string): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest();
