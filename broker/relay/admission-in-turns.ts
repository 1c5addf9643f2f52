/** The gate's admission at the relay: a call waits for its turn at the session's log, which all replicas share. */
import type { Admission, Admitted } from "../../proxy/gate/admission.ts";
import type { RelayLedger } from "./relay-ledger.ts";

export function admitInTurns(ledger: RelayLedger, onError: (error: unknown) => void): Admission {
  return {
    admit: <T>(decide: () => T, { admitted, failed }: Admitted<T>) => {
      let decided: { readonly value: T } | undefined;
      ledger.submit({
        decide: () => {
          decided = { value: decide() };
        },
        settle: (isRecorded) => {
          // What goes wrong with one call must not keep the others of its turn from theirs.
          try {
            if (isRecorded && decided !== undefined) admitted(decided.value);
            else failed();
          } catch (error) {
            onError(error);
          }
        },
      });
    },
  };
}
