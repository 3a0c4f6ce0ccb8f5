/** What a visit to a room is made with, and how it ends. */
import type { RoomAddress } from '../../transport/index.ts';
import type { DeviceOptions } from '../room.ts';
import type { ViewStore } from '../view-store.ts';
import type { KeptEngine } from './kept-engine.ts';
import type { OwnQuestions } from './own-questions.ts';
import type { DevicePart } from './part/index.ts';

export interface VisitOptions {
  address: RoomAddress;
  /** Read anew when a visit begins. */
  device: () => DeviceOptions;
  store: ViewStore;
  engine: KeptEngine;
  questions: OwnQuestions;
  /** Aborts when the person leaves. */
  signal: AbortSignal;
  /** The host was asked to let this device in, so it was heard of. */
  onKnocking: () => void;
  /** The device is in the room: from here on its part can be spoken to. */
  onPart: (part: DevicePart | null) => void;
}

/** How a visit ended: for good, or in a way that another visit may mend. */
export interface VisitEnd {
  isFinal: boolean;
  /** A sentence for the screen. */
  reason: string;
}
