/**
 * How a decision comes into force: it is recorded and counted with what is true at that moment, and only then is
 * anything forwarded. A proxy does all of it in one step; where a session has several gates in several processes, they
 * take turns at its log.
 */
import { isRecordingFailure } from "../recorder.ts";

export interface Admitted<T> {
  /** It is on the log. */
  readonly admitted: (value: T) => void;
  /** It is not, and nothing may be forwarded. */
  readonly failed: () => void;
}

export interface Admission {
  /** `decide` decides, records and counts in one step; it may be called again where the turn that it had was undone. */
  admit<T>(decide: () => T, then: Admitted<T>): void;
}

/** Here and now: what is recorded when `decide` returns is durable. */
export const AT_ONCE: Admission = {
  admit: (decide, { admitted, failed }) => {
    let value: ReturnType<typeof decide>;
    try {
      value = decide();
    } catch (error) {
      if (!isRecordingFailure(error)) {
        throw error;
      }
      failed();
      return;
    }
    admitted(value);
  },
};
