/**
 * A tone too low and too quiet to be heard. Browsers slow hidden tabs down, but leave those that play sound
 * as they are; a phone whose screen is off sleeps all the same.
 */

const frequencyHz = 30;
/** -60 dB: counts as sound to a browser, and as silence to an ear. */
const gain = 0.001;

export interface QuietTone {
  /** Rejects with a sentence where the browser plays nothing. To be called from a click or a key. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function canPlay(): boolean {
  return 'AudioContext' in globalThis;
}

export function createQuietTone(): QuietTone {
  let context: AudioContext | null = null;

  async function stop(): Promise<void> {
    const playing = context;
    context = null;
    await playing?.close();
  }

  return {
    async start() {
      await stop();
      if (!canPlay()) throw new Error('This browser plays no sound.');
      const opened = new AudioContext();
      context = opened;
      const volume = new GainNode(opened, { gain });
      const tone = new OscillatorNode(opened, { frequency: frequencyHz });
      tone.connect(volume).connect(opened.destination);
      tone.start();
      await opened.resume();
    },
    stop,
  };
}
