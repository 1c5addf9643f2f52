/**
 * The part of AWS KMS that sealing needs: a real HTTP server that checks signatures (SigV4), keys, permissions and the
 * encryption context, and answers with the errors that KMS has. What it seals is sealed with AES-GCM under its key.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

interface PeerKey {
  readonly material: Buffer;
  enabled: boolean;
  /** Permissions of the one who asks. */
  allowed: boolean;
}

export interface KmsPeer {
  readonly endpoint: string;
  /** The ARN of a key that exists. */
  readonly key: string;
  /** Of another one. */
  readonly otherKey: string;
  readonly keys: Map<string, PeerKey>;
  /** ARNs by alias. */
  readonly aliases: Map<string, string>;
  /** For the environment of whoever asks. */
  readonly environment: Readonly<Record<string, string>>;
  /** The operations that were asked for. */
  readonly asked: string[];
  close(): Promise<void>;
}

interface Fields {
  readonly KeyId?: string;
  readonly KeySpec?: string;
  readonly CiphertextBlob?: string;
  readonly EncryptionContext?: Readonly<Record<string, string>>;
}

const ACCESS_KEY = "AKIDPEEREXAMPLE";
const SECRET_KEY = "peer/secret+key";
const REGION = "eu-central-1";

class Failure extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

export async function startKmsPeer(): Promise<KmsPeer> {
  const arnOf = (id: string): string => `arn:aws:kms:${REGION}:111122223333:key/${id}`;
  const [key, otherKey] = [
    arnOf("1234abcd-12ab-34cd-56ef-1234567890ab"),
    arnOf("abcd1234-12ab-34cd-56ef-1234567890ab"),
  ];
  const newKey = (): PeerKey => ({ material: randomBytes(32), enabled: true, allowed: true });
  const keys = new Map([
    [key, newKey()],
    [otherKey, newKey()],
  ]);
  const aliases = new Map<string, string>();
  const asked: string[] = [];
  const find = (id: string | undefined): [arn: string, key: PeerKey] => {
    const named = aliases.get(id ?? "") ?? id ?? "";
    const arn = named.startsWith("arn:") ? named : arnOf(named);
    const found = keys.get(arn);
    if (found === undefined) throw new Failure("NotFoundException", `Key '${arn}' does not exist`);
    if (!found.allowed) throw new Failure("AccessDeniedException", "User is not authorized to perform this");
    if (!found.enabled) throw new Failure("DisabledException", `${arn} is disabled.`);
    return [arn, found];
  };
  const operations: Record<string, (fields: Fields) => object> = {
    "TrentService.GenerateDataKey": ({ KeyId, KeySpec, EncryptionContext = {} }) => {
      if (KeySpec !== "AES_256") throw new Failure("ValidationException", "KeySpec");
      const [arn, { material }] = find(KeyId);
      const plain = randomBytes(32);
      const blob = seal({ arn, material, context: EncryptionContext }, plain);
      return { CiphertextBlob: blob.toString("base64"), Plaintext: plain.toString("base64"), KeyId: arn };
    },
    "TrentService.Decrypt": ({ KeyId, CiphertextBlob = "", EncryptionContext = {} }) => {
      const blob = Buffer.from(CiphertextBlob, "base64");
      const sealedUnder = blob.subarray(1, 1 + (blob[0] ?? 0)).toString();
      if (!keys.has(sealedUnder)) throw new Failure("InvalidCiphertextException", "");
      if (KeyId !== undefined && find(KeyId)[0] !== sealedUnder) {
        throw new Failure("IncorrectKeyException", "The key ID in the request does not identify a CMK");
      }
      const [arn, { material }] = find(sealedUnder);
      const plain = unseal({ arn, material, context: EncryptionContext }, blob);
      return { Plaintext: plain.toString("base64"), KeyId: arn, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" };
    },
  };
  const server = createServer((request, response) => {
    void answer(request, response, (target, fields) => {
      asked.push(target.replace("TrentService.", ""));
      const operation = operations[target];
      if (operation === undefined) throw new Failure("UnknownOperationException", target);
      return operation(fields);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    key,
    otherKey,
    keys,
    aliases,
    asked,
    environment: {
      AWS_ENDPOINT_URL_KMS: endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: ACCESS_KEY,
      AWS_SECRET_ACCESS_KEY: SECRET_KEY,
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  operate: (target: string, fields: Fields) => object,
): Promise<void> {
  const body = Buffer.concat(await Array.fromAsync(request));
  const send = (status: number, value: object): void => {
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify(value));
  };
  try {
    checkSignature(request, body);
    send(200, operate(String(request.headers["x-amz-target"]), JSON.parse(body.toString("utf8"))));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    send(400, { __type: error.type, message: error.message });
  }
}

/** AWS Signature Version 4 over what was received. */
function checkSignature({ method = "", url = "", headers }: IncomingMessage, body: Buffer): void {
  const [, scope = "", names = "", signature = ""] =
    /^AWS4-HMAC-SHA256 Credential=[^/]+\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)$/.exec(
      headers.authorization ?? "",
    ) ?? [];
  if (signature === "") throw new Failure("MissingAuthenticationTokenException", "no signature");
  const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
  const canonical = [
    method,
    url,
    "",
    ...names.split(";").map((name) => `${name}:${String(headers[name]).trim()}`),
    "",
    names,
    sha256(body),
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", String(headers["x-amz-date"]), scope, sha256(canonical)].join("\n");
  const signingKey = scope
    .split("/")
    .reduce(
      (key: string | Buffer, part) => createHmac("sha256", key).update(part).digest(),
      `AWS4${SECRET_KEY}`,
    );
  if (createHmac("sha256", signingKey).update(toSign).digest("hex") !== signature) {
    throw new Failure("InvalidSignatureException", "The request signature does not match");
  }
}

interface Sealing {
  readonly arn: string;
  readonly material: Buffer;
  readonly context: Readonly<Record<string, string>>;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const authenticated = ({ arn, context }: Sealing): Buffer =>
  Buffer.from(JSON.stringify([arn, Object.entries(context).sort()]));

function seal(sealing: Sealing, plain: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", sealing.material, nonce).setAAD(authenticated(sealing));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([
    Buffer.from([sealing.arn.length]),
    Buffer.from(sealing.arn),
    nonce,
    cipher.getAuthTag(),
    sealed,
  ]);
}

function unseal(sealing: Sealing, blob: Buffer): Buffer {
  const rest = blob.subarray(1 + sealing.arn.length);
  const tag = rest.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  try {
    const decipher = createDecipheriv("aes-256-gcm", sealing.material, rest.subarray(0, NONCE_BYTES));
    decipher.setAAD(authenticated(sealing)).setAuthTag(tag);
    return Buffer.concat([decipher.update(rest.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  } catch {
    throw new Failure("InvalidCiphertextException", "");
  }
}
