/** How much of each sequence a device's stages have taken in and handed on, for when a lap does not come back. */
export interface StageProgress {
  stage: number;
  /** Frames' worth of work: with the next stage's `taken`, what was `given` here says where it stays. */
  taken: number;
  given: number;
}

export interface Progress {
  took(at: Place): void;
  gave(at: Place): void;
  /** Of the sequence on this lap. */
  of(epoch: number, sequence: number): StageProgress[];
  release(sequence: number): void;
}

interface Place {
  lap: { epoch: number };
  sequence: number;
  stage: number;
}

interface Known {
  epoch: number;
  stages: Map<number, StageProgress>;
}

export function createProgress(): Progress {
  const bySequence = new Map<number, Known>();

  function at({ lap: { epoch }, sequence, stage }: Place): StageProgress {
    const known = bySequence.get(sequence);
    const current: Known = known?.epoch === epoch ? known : { epoch, stages: new Map() };
    bySequence.set(sequence, current);
    const progress = current.stages.get(stage) ?? { stage, taken: 0, given: 0 };
    current.stages.set(stage, progress);
    return progress;
  }

  return {
    took(place) {
      at(place).taken++;
    },
    gave(place) {
      at(place).given++;
    },
    of(epoch, sequence) {
      const known = bySequence.get(sequence);
      return known?.epoch === epoch ? [...known.stages.values()] : [];
    },
    release: (sequence) => void bySequence.delete(sequence),
  };
}
