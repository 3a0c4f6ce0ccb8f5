/** Counts what a device's stages have taken in and handed on of each sequence. It tells where a lap was lost. */
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
  of(planVersion: number, sequence: number): StageProgress[];
  release(sequence: number): void;
}

interface Place {
  lap: { planVersion: number };
  sequence: number;
  stage: number;
}

interface Known {
  planVersion: number;
  stages: Map<number, StageProgress>;
}

export function createProgress(): Progress {
  const bySequence = new Map<number, Known>();

  function at({ lap: { planVersion }, sequence, stage }: Place): StageProgress {
    const known = bySequence.get(sequence);
    const current: Known =
      known?.planVersion === planVersion ? known : { planVersion, stages: new Map() };
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
    of(planVersion, sequence) {
      const known = bySequence.get(sequence);
      return known?.planVersion === planVersion ? [...known.stages.values()] : [];
    },
    release: (sequence) => void bySequence.delete(sequence),
  };
}
