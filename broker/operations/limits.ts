/** How much the broker takes before it says so, with the numbers that hold where nobody chose others. */
export interface Limits {
  /** Refused requests of one address. */
  readonly addressPerMinute: number;
  /** Subject tokens of one repository that were verified. */
  readonly repositoryPerMinute: number;
  /** Requests in progress, and as many again that are relayed; see load-shedding.ts for who is turned away first. */
  readonly maxInFlight: number;
  /** How late timers may be, on average over a second, before new work is turned away. */
  readonly maxDelayMs: number;
  /** Open connections; one more is closed at once. */
  readonly maxConnections: number;
}

export const DEFAULT_LIMITS: Limits = {
  addressPerMinute: 600,
  repositoryPerMinute: 600,
  maxInFlight: 2_000,
  maxDelayMs: 1_000,
  maxConnections: 10_000,
};
