/** How long a server is waited for, and how often it is asked again. */
export interface HttpLimits {
  /** A connection that brings no byte for this long counts as broken. */
  silenceMs: number;
  /** Reading is given up after this many tries in a row that bring nothing. */
  tries: number;
  /** The pause after the first fruitless try. The second pause is twice as long, the third three times. */
  pauseMs: number;
  /** A busy server is waited for this long, all pauses since the last byte together. */
  busyMs: number;
}

export const usualLimits: HttpLimits = {
  silenceMs: 20_000,
  tries: 4,
  pauseMs: 400,
  busyMs: 120_000,
};

/** One file of a server, and how to ask for it. */
export interface HttpRequest {
  url: string;
  /** What sentences call the file. */
  name: string;
  headers?: Readonly<Record<string, string>>;
  /** Ends the request at once, also while it waits for its turn or for a busy server. */
  signal?: AbortSignal | undefined;
  limits?: Partial<HttpLimits> | undefined;
}
