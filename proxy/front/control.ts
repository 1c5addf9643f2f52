/**
 * The control endpoint: it can report and seal, nothing else.
 */
import * as z from "zod/mini";
import { readJsonBytes } from "../messages/json-reading.ts";
import { toByteText } from "../messages/json-spans.ts";
import { type Answer, refuseHttp } from "../messages/refusals.ts";

export interface Control {
  readonly token: string;
  report(): unknown;
  seal(reason: string): Promise<unknown>;
}

const SealBody = z.strictObject({ reason: z.string().check(z.minLength(1), z.maxLength(200)) });

const MAX_DEPTH = 4;
export const MAX_CONTROL_BYTES = 4096;

export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly body: Buffer;
}

export async function answerControl(
  control: Control,
  { method, path, body }: ControlRequest,
): Promise<Answer> {
  if (path === "/control/report") {
    return method === "GET" ? answer(control.report()) : refuseHttp(405, "Method Not Allowed: GET");
  }
  if (path === "/control/seal") {
    if (method !== "POST") {
      return refuseHttp(405, "Method Not Allowed: POST");
    }
    const reading = readJsonBytes(body, { maxDepth: MAX_DEPTH, numbers: "exact" });
    const parsed = SealBody.safeParse(reading.ok ? reading.value : undefined);
    return parsed.success
      ? answer(await control.seal(parsed.data.reason))
      : refuseHttp(400, 'The body has to be {"reason": "…"}');
  }
  return refuseHttp(404, "Not Found");
}

function answer(value: unknown): Answer {
  return { status: 200, text: toByteText(JSON.stringify(value ?? null)) };
}
