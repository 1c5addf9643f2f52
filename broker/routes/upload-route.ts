/**
 * `PUT /session/objects/…`: takes uploads where the bucket is a folder, as a store would take them at a presigned address.
 * The address alone authorises, for one body under one name.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import type { FolderBucket } from "../custody/folder-bucket.ts";
import { UPLOAD_PATH, type UploadSecrets, parseUploadUrl } from "../custody/upload-url.ts";
import { type Refused, refuse } from "../refusals.ts";
import { answerRefusal } from "./refusal-answer.ts";

const Params = z.object({ "*": z.string() });
const Body = z.custom<AsyncIterable<Uint8Array>>(
  (value) => typeof value === "object" && value !== null && Symbol.asyncIterator in value,
);

export interface UploadTarget {
  readonly folder: FolderBucket;
  readonly secrets: UploadSecrets;
  readonly now: () => number;
}

export async function registerUploadRoute(app: FastifyInstance, target: UploadTarget): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // The body stays a stream: it is hashed on its way to the disk.
    scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    scope.put(`${UPLOAD_PATH}*`, async (request, reply) => {
      const refusal = await receive(request, target);
      if (refusal === undefined) return reply.code(200).send();
      // What is left of the body is not read.
      return answerRefusal(reply.header("connection", "close"), refusal);
    });
  });
}

async function receive(
  { params, query, body, headers }: FastifyRequest,
  { folder, secrets, now }: UploadTarget,
): Promise<Refused | undefined> {
  const key = Params.parse(params)["*"];
  const terms = parseUploadUrl({ key, query }, { secrets, now: now() });
  if (terms === undefined) {
    return refuse("upload_refused", `for ${key.slice(0, 300)}`);
  }
  const stream = Body.safeParse(body);
  const length = headers["content-length"];
  if (!stream.success || (length !== undefined && length !== String(terms.bytes))) {
    return refuse("upload_differs", `${length ?? "no"} bytes in place of ${terms.bytes}`);
  }
  const outcome = await folder.receive(key, terms, stream.data);
  switch (outcome) {
    case "stored":
      return undefined;
    case "exists":
      return refuse("upload_exists", key);
    case "differs":
      return refuse("upload_differs", key);
  }
}
