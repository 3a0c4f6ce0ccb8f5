/**
 * Who gave bytes that are not the model's. Nobody is dropped on another's word: the host asks the accused for the same
 * piece, and the hash decides. If the accused gives the host the right bytes, one of the two lies, and nobody can tell
 * which. From then on they pass nothing to each other. A device that accuses a second one in this way is at fault.
 */
import { sha256Hex } from '../../../store/read-manifest.ts';
import type { Piece } from '../../../store/layer-pieces.ts';
import type { PieceTracker } from './piece-tracker.ts';

export interface WeightDisputesOptions {
  tracker: Pick<PieceTracker, 'pieceAt' | 'isTrueHash'>;
  /** What the device gives when the host asks for the piece, or the host itself keeps; null for nothing. */
  ask: (deviceId: string, piece: Piece) => Promise<Uint8Array<ArrayBuffer> | null>;
  /** The device gave bytes that are not the model's. */
  onWrongWeights: (deviceId: string) => void;
  /** The device accuses one that is innocent; a sentence. */
  onFalseAccusation: (deviceId: string, reason: string) => void;
  /** One of the two accuses the other, and nobody can tell which of them is right. */
  onApart: (accuser: string, accused: string) => void;
}

export interface WeightDisputes {
  /** The host itself was given wrong bytes. */
  found(deviceId: string, piece: Piece): void;
  /** Throws one sentence for what no honest device says. */
  accuse(accuser: string, accused: string, place: Omit<Piece, 'sha256'>): void;
  /** Whether these two pass nothing to each other. */
  areApart(one: string, other: string): boolean;
  left(deviceId: string): void;
  /** Settles when every accusation so far has been looked into. */
  settled(): Promise<void>;
}

const blamesHost = 'It says that the host gave it bytes that are not the model’s.';
const blamesSeveral =
  'It says of several devices that they gave it bytes that are not the model’s.';

export function createWeightDisputes(options: WeightDisputesOptions): WeightDisputes {
  /** Whom each device has accused, the innocent among them apart. */
  const accusedBy = new Map<string, Set<string>>();
  const apart = new Map<string, Set<string>>();
  /** One after the other: each takes a piece's memory. */
  let judging: Promise<void> = Promise.resolve();

  function inTurn(work: () => Promise<void>): void {
    // What cannot be found out leaves everybody where they are.
    judging = judging.then(work).catch(() => undefined);
  }

  async function prove(deviceId: string, piece: Piece): Promise<void> {
    const isForged = await options.tracker.isTrueHash(piece);
    if (isForged && deviceId !== 'host') options.onWrongWeights(deviceId);
  }

  async function judge(accuser: string, accused: string, piece: Piece): Promise<void> {
    const bytes = await options.ask(accused, piece);
    // One of them left meanwhile.
    if (!accusedBy.get(accuser)?.has(accused)) return;
    if (bytes && (await sha256Hex(bytes)) !== piece.sha256) return prove(accused, piece);
    if (accused === 'host') {
      if (bytes) options.onFalseAccusation(accuser, blamesHost);
      return;
    }
    const others = setOf(apart, accuser).add(accused);
    options.onApart(accuser, accused);
    if (bytes && others.size > 1) options.onFalseAccusation(accuser, blamesSeveral);
  }

  return {
    found: (deviceId, piece) => inTurn(() => prove(deviceId, piece)),
    accuse(accuser, accused, place) {
      const piece = options.tracker.pieceAt(place);
      if (!piece || piece.sha256 === null)
        throw new Error(`${accuser} complains about bytes that nobody could have checked`);
      if (accuser === accused) throw new Error(`${accuser} complains about itself`);
      const known = setOf(accusedBy, accuser);
      // Once is enough: it does not ask that device any more.
      if (known.has(accused)) return;
      known.add(accused);
      inTurn(() => judge(accuser, accused, piece));
    },
    areApart: (one, other) =>
      apart.get(one)?.has(other) === true || apart.get(other)?.has(one) === true,
    left(deviceId) {
      for (const book of [accusedBy, apart]) {
        book.delete(deviceId);
        for (const devices of book.values()) devices.delete(deviceId);
      }
    },
    async settled() {
      await judging;
    },
  };
}

function setOf(book: Map<string, Set<string>>, deviceId: string): Set<string> {
  const known = book.get(deviceId) ?? new Set<string>();
  book.set(deviceId, known);
  return known;
}
