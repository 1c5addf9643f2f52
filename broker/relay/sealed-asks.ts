/**
 * What relayed servers ask of agents, for all replicas: a question goes out with all that its answer needs sealed into
 * its name, so that any replica can take the answer, and the database knows which one was first.
 */
import * as z from "zod/mini";
import { SecretsInResult, TextInResult } from "../../policies/session-policy.ts";
import type { SealedAsks, SharedAsks } from "../../proxy/gate/asks/shared-asks.ts";
import { spendAnswers } from "../storage/ledger/spent.ts";
import { runnerOf } from "../storage/ledger/runner.ts";
import type { Queries } from "../storage/schema.ts";
import type { NamePlace } from "./sealed-names.ts";
import { type DerivingKey, sealTexts } from "./sealed-texts.ts";

const PURPOSE = "asks of the relay";

/** Short: it stands in an id, and an id has an end. */
const Sealed = z.tuple([
  z.number(),
  z.array(z.tuple([z.string(), z.string(), SecretsInResult, TextInResult])),
  z.nullable(z.string()),
]);

export interface AskPlace extends NamePlace {
  /** How long an answer is waited for. */
  readonly timeoutMs: number;
}

export interface AskServices {
  readonly database: Queries;
  readonly sealingKey: DerivingKey;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
  /** Hears of each end that is being written: it is on record only then. */
  readonly ending: (written: Promise<void>) => void;
}

export function shareAsks(
  { session, server, timeoutMs }: AskPlace,
  { database, sealingKey, now, onError, ending }: AskServices,
): SharedAsks {
  const texts = sealTexts(PURPOSE, sealingKey);
  const runner = runnerOf(database);
  const claim = async (calls: readonly string[]): Promise<readonly boolean[]> => {
    // None can be opened for longer than an answer is waited for, and waiting ends a little late.
    const expiresAt = now() + 2 * timeoutMs;
    return spendAnswers(
      runner,
      calls.map((call) => ({ session, call, expiresAt })),
    );
  };
  return {
    now,
    seal: (to, { askedAt, asks, state }) => {
      const listed = asks.map(({ callId, place, inspection: { secrets, text } }) => [
        ...[callId, place, secrets, text],
      ]);
      return texts.seal(JSON.stringify([askedAt, listed, state ?? null]), [
        ...[session, server, to.agent, to.session ?? null],
      ]);
    },
    open: (to, sealed): SealedAsks | undefined => {
      const text = texts.open(sealed, [session, server, to.agent, to.session ?? null]);
      if (text === undefined) return undefined;
      const [askedAt, listed, state] = Sealed.parse(JSON.parse(text));
      if (askedAt + timeoutMs < now()) return undefined;
      const asks = listed.map(([callId, place, secrets, text]) => ({
        ...{ callId, place, inspection: { secrets, text } },
      }));
      return { askedAt, asks, state: state ?? undefined };
    },
    claim: (calls, then) => {
      ending(
        claim(calls)
          .catch((error: unknown) => {
            onError(error);
            return [];
          })
          .then(then)
          .catch(onError),
      );
    },
  };
}
