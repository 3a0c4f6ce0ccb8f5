/**
 * What the rest of the project sees of the transport: plain data and small interfaces, nothing of WebRTC's
 * machinery and nothing of what a frame's payload means.
 */

/** Where a room is and what proves that one was invited. Everything a room link says. */
export interface RoomAddress {
  /** The host's id at the signalling server; it names the room. */
  hostId: string;
  /** The room key, at least 16 bytes of randomness. */
  key: Uint8Array<ArrayBuffer>;
  /** URL of the signalling server; absent: the one that served the page. */
  signallingUrl?: string;
  /** STUN and TURN servers; absent: none, devices meet on their local network. */
  iceServers?: RTCIceServer[];
}

/** One device's lasting identity in a room: its DTLS certificate. */
export interface Identity {
  certificate: RTCCertificate;
  /** SHA-256 of the certificate: 64 lower-case hexadecimal digits. */
  fingerprint: string;
}

/** Introduces devices to each other; carries nothing else. */
export interface Signalling {
  /** This device's id at the signalling server, by which others dial it. */
  readonly id: string;
  /**
   * Asks a device for a connection. Resolves once it has answered the offer (the network path may still be
   * on its way: `openLink` waits for that); rejects with a `LinkError` that says why it did not.
   */
  dial(peerId: string): Promise<RTCPeerConnection>;
  /** Called for every device that dials this one. `fromId` is only what the server says: prove it with `openLink`. */
  onDial(callback: (connection: RTCPeerConnection, fromId: string) => void): void;
  /** The server was lost for good (reconnecting is tried first). Live connections are not affected. */
  onLost(callback: (error: Error) => void): void;
  /** Leaves the server. Live connections are not affected. */
  close(): void;
}

/** How long one stage had a frame, in microseconds: durations only, as no two devices share a clock. */
export interface HopTiming {
  /** Which stage of the plan. At most 65,535. */
  stage: number;
  /** Between arrival and the start of computing. */
  queueUs: number;
  computeUs: number;
  /** Half the round trip last measured on the link by which the frame reached the stage. */
  wireUs: number;
}

/** What travels before a frame's payload. All whole numbers; the transport reads only what it needs for order. */
export interface FrameHeader {
  /** 8 bits that the room gives meaning to. */
  flags: number;
  /** 8 bits that the room gives meaning to: the type of the payload's numbers. */
  dtype: number;
  /** The plan's number, 32 bits. */
  planVersion: number;
  /** Which answer the frame belongs to, 32 bits. Frames of one sequence arrive in the order in which they were sent. */
  sequence: number;
  /** Where in the sequence: the position of the first token, 32 bits. */
  step: number;
  /** Which stage the frame is for, 16 bits. */
  stage: number;
  /** What the stages passed so far measured; at most 255. */
  hops: readonly HopTiming[];
}

/** How a link behaves between two devices when it is not busy. */
export interface LinkProfile {
  /** One way (half a round trip) for a frame of about 1.2 KB: median and 90th percentile. */
  latencyMs: number;
  p90LatencyMs: number;
  /** Payload bits per second of a short burst to the other side, in millions. */
  mbps: number;
  /** Full round trips by payload size, smallest first. */
  roundTripMsBySize: { bytes: number; p50Ms: number; p90Ms: number }[];
  /** How long measuring took. */
  tookMs: number;
}

export interface LinkStats {
  framesSent: number;
  framesReceived: number;
  /** Of frames, echoes and bulk, headers included; what was sent again is not counted twice. */
  bytesSent: number;
  bytesReceived: number;
  /** Slices of frames that came a second time and were dropped. */
  duplicateSlices: number;
  /** Of the last measurement, or usual of late while frames travel; null before the first. */
  roundTripMs: number | null;
  /** Round trips of late while frames travelled, by which the next two are decided; null before any. */
  quality: LinkQuality | null;
  /** Small frames are sent twice: a second copy was seen to come sooner often enough. */
  sendsTwice: boolean;
  /** Large frames are spread over several connections: that was seen to be faster. */
  striped: boolean;
  /** Packets go by way of a TURN server; null before that is known, or where the browser does not say. */
  relayed: boolean | null;
  /** Open now: the first, and further ones for frames and for large messages. */
  connections: number;
  /** How often the connection broke and was made anew, and how long the last time took. */
  interruptions: number;
  lastInterruptionMs: number | null;
  /** Slices of frames that were sent again after that. */
  resentSlices: number;
}

/** What round trips on a working link were like of late. */
export interface LinkQuality {
  samples: number;
  p50Ms: number;
  p90Ms: number;
  /** Share of messages that took at least a retransmission’s wait longer than the usual one. */
  lateShare: number;
  /** What the sooner of two copies would have saved, on average. */
  savedMs: number;
}

/**
 * Why a link ended: the other side said goodbye (`left`), this side closed it (`closed`), nothing was heard any
 * more (`silent`), the network path broke (`lost`), or the other side broke the rules (`misbehaved`).
 */
export type CloseCause = 'left' | 'closed' | 'silent' | 'lost' | 'misbehaved';

/** Takes a callback; returns what stops it. Events from before the first callback are kept for it. */
export type Subscribe<Arguments extends unknown[]> = (
  callback: (...values: Arguments) => void,
) => () => void;

/** An authenticated connection to one other device. */
export interface Link {
  /** The other device's id at the signalling server. */
  readonly peerId: string;
  /** The other device's proven identity: SHA-256 of its certificate, 64 hexadecimal digits. */
  readonly fingerprint: string;
  readonly stats: Readonly<LinkStats>;

  /**
   * Sends a JSON message of at most 64 KiB, in order. Throws a `LinkError` if it is larger. Once the link has ended,
   * it is lost, as is what was on its way then: `onClosed` has said so.
   */
  sendControl(message: unknown): void;
  /** The other side's messages, parsed but not yet validated. */
  onControl: Subscribe<[message: unknown]>;

  /** Sends a frame at once. The payload is copied out before this returns. Lost like a message once the link has ended. */
  sendFrame(header: FrameHeader, payload: Uint8Array): void;
  /** Frames, whole, once each, in the order of their sequence. */
  onFrame: Subscribe<[header: FrameHeader, payload: Uint8Array<ArrayBuffer>]>;

  /**
   * Sends a large message (at most 8 MiB) at the pace of the network, giving way to frames, on a connection of its
   * own if it is not small. The bytes must stay as they are until it resolves: when the other side has them all.
   */
  sendBulk(bytes: Uint8Array): Promise<void>;
  onBulk: Subscribe<[bytes: Uint8Array<ArrayBuffer>]>;

  /** Whether somebody is there: one small round trip on the frames' path, in ms. Rejects when the answer takes longer than `deadlineMs` (2000). */
  ping(deadlineMs?: number): Promise<number>;
  /** Measures latency and bandwidth in about a second; for idle links. The other side needs to do nothing. */
  measure(): Promise<LinkProfile>;

  /** From now on, this much silence (in ms) counts as the other side being gone. */
  setSilenceDeadline(deadlineMs: number): void;
  /** Slows this side's sending down to an emulated network; null lifts it. */
  emulate(emulation: LinkEmulation | null): void;
  readonly emulation: LinkEmulation | null;

  /** The connection broke, the other device is there: what is sent from now on waits. `onResumed` or `onClosed` follows. */
  onInterrupted: Subscribe<[reason: string]>;
  /** All that waited is on its way, in order. */
  onResumed: Subscribe<[tookMs: number]>;

  /** Says goodbye with a reason that the other side is told, and ends the connection. */
  close(reason: string): void;
  /** Called once, with a sentence for people. */
  onClosed: Subscribe<[reason: string, cause: CloseCause]>;
}

/** A worse network, applied by the sender. */
export interface LinkEmulation {
  /** Added to every frame, one way. */
  delayMs: number;
  /** Delay varies by up to this much either way. */
  jitterMs: number;
  /** Share of messages (0 to 1) that are lost once and come again after a retransmission's wait. */
  lossRate: number;
  /** Millions of bits per second; absent: unlimited. */
  mbps?: number;
}

export interface OpenLinkOptions {
  /** The other device's id at the signalling server. */
  peerId: string;
  key: Uint8Array<ArrayBuffer>;
  /** The identity that the host vouched for; anything else is refused. Absent: whoever holds the room key. */
  expectedFingerprint?: string;
  /** Heard of the other side's certificate, before any proof: what it resolves to is waited for. */
  beforeProof?: (fingerprint: string) => Promise<void>;
  /** For the network path and both proofs together; 20,000 ms unless told. */
  deadlineMs?: number;
  /** Silence after which the other side counts as gone; 4000 ms unless told. */
  silenceMs?: number;
  /** How long a link whose connection broke is kept for a new one, if the other device is there; 15,000 ms unless told. */
  resumeMs?: number;
  /** What the two sides must agree on to talk at all; `protocolVersion` unless told. */
  version?: number;
}
